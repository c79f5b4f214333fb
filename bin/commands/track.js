// ocelli track: gives the detections of a video's frames the numbers of the objects that they show.
import { parseMot, trackMot } from '../../wasm/track/mot.js';
import { checkTracking } from '../../wasm/track/tracker.js';
import { attempt, readInputText, readText } from '../common.js';
import { print } from '../output.js';
import { toTrackerOptions, tracking } from '../tracking.js';

/** Lines in one write: a write for each line takes most of the time. */
const LINES = 1000;

/** @type {import('../arguments.js').Command<typeof tracking>} */
export const command = {
  summary: 'number the objects in the detections of a video',
  about:
    "Reads detections in MOTChallenge's format, one a line: frame,-1,x,y,width,height,score. Prints those that belong to a " +
    'confirmed track, by ByteTrack, as frame,id,x,y,width,height,score,-1,-1,-1.',
  positionals: [
    {
      name: 'DET.txt',
      what: 'a file of detections',
      about: '- is standard input. The lines may be in any order; frames without a line have no detections',
      optionNames: ['det', 'dets', 'detections', 'input', 'source', 'file'],
    },
  ],
  options: tracking,
  examples: ['ocelli track det.txt > tracks.txt', 'ocelli track --activation 0.5 --lost 60 det.txt'],
  run,
};

/**
 * @param {import('../arguments.js').Values<typeof tracking>} values
 * @param {string[]} args
 */
async function run(values, [file]) {
  const settings = checkTracking(toTrackerOptions(values));
  await attempt(file, async () => {
    const frames = parseMot(await (file === '-' ? readInputText() : readText(file)));
    /** @type {string[]} */
    let lines = [];
    for (const line of trackMot(frames, settings)) {
      if (lines.push(line) < LINES) continue;
      print(lines.join('\n'));
      lines = [];
    }
    if (lines.length > 0) print(lines.join('\n'));
  });
}
