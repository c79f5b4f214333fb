// Which JavaScript file may import which; `make lint` checks it. Types in JSDoc comments count as well, but for those in
// a typedef's @property lines, which dependency-cruiser does not see: tools/lint/types.js wants a name for them.

/**
 * The rooms (folders) of wasm/, from the ground floor up. A room imports from its own folder and from lower floors only:
 * never from a higher floor, and never from another room on its own floor. Some rooms are not built yet.
 */
const FLOORS = [
  ['shared'],
  ['engine', 'tflite', 'draw', 'track', 'tiles'],
  ['report'],
  ['vision'],
  ['evaluate', 'platform'],
  ['convert'],
  ['quantize', 'train'],
  ['compress'],
  ['inline'],
  ['element'],
  ['react'],
];

/** Folders above wasm/: it must work without them. */
const ABOVE = ['bin', 'web', 'examples', 'models', 'tools', 'tests', 'bench'];

/** @param {string[]} names */
const inside = (names, parent = '') => `^${parent}(${names.join('|')})/`;

const floorRules = FLOORS.flatMap((floor, level) => {
  const lower = FLOORS.slice(0, level).flat();
  return floor.map((room) => ({
    name: `floor-of-${room}`,
    comment: `wasm/${room} may import ${lower.join(', ') || 'no other room'}. Move what both need to a lower floor.`,
    severity: 'error',
    from: { path: inside([room], 'wasm/') },
    to: { path: '^wasm/', pathNot: inside([room, ...lower], 'wasm/') },
  }));
});

export default {
  forbidden: [
    ...floorRules,
    {
      name: 'room-without-floor',
      comment: 'Each folder of wasm/ needs a place in FLOORS.',
      severity: 'error',
      from: { path: '^wasm/', pathNot: inside(FLOORS.flat(), 'wasm/') },
      to: {},
    },
    {
      name: 'wasm-is-below',
      comment: 'The package works without the command line, the demo page and the tools.',
      severity: 'error',
      from: { path: '^wasm/' },
      to: { path: inside(ABOVE) },
    },
    {
      name: 'bin-is-packaged',
      comment: 'The command line may import wasm/ only: the other folders are not in the package.',
      severity: 'error',
      from: { path: '^bin/' },
      to: { path: inside(ABOVE.filter((folder) => folder !== 'bin')) },
    },
    {
      name: 'exports-only',
      comment: 'The demo page and the examples import the package as users do, by its exports.',
      severity: 'error',
      from: { path: inside(['web', 'examples']) },
      to: { path: inside(['wasm', 'dist', 'bin', 'tools', 'tests', 'bench']) },
    },
    {
      name: 'no-cycles',
      comment: 'Modules that import each other are hard to read and may run in the wrong order. Types may.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['jsdoc', 'type-only'] } },
    },
  ],
  options: {
    detectJSDocImports: true,
    doNotFollow: { path: inside(['node_modules', 'dist']) },
  },
};
