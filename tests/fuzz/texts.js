// Hostile texts, the same for the same number: what names of classes, files and models may be made of to do harm where
// they are written.

const FRAGMENTS = [
  ...[
    '<script>alert(1)</script>',
    '<img src=x onerror=y>',
    '</td></tr></table>',
    '</text></svg>',
    '<!--',
    '-->',
    ']]>',
  ],
  ...[
    '&',
    '&lt;',
    '&#60;',
    '"',
    "'",
    '" onload="',
    '`',
    '``',
    '*',
    '**',
    '_',
    '__',
    '~~',
    '$',
    '$$',
    '\\',
    '|',
    '||',
  ],
  ...[
    '[a](javascript:b)',
    '![a](//x.invalid)',
    '[a]: //x.invalid',
    '[^1]',
    '<//x.invalid>',
    'https://x.invalid/',
  ],
  ...[
    'www.x.invalid',
    'mailto:a@x.invalid',
    'a@x.invalid',
    '@user',
    '#1',
    '# ',
    '- ',
    '+ ',
    '1. ',
    '> ',
    '---',
    '===',
  ],
  ...[
    '~~~',
    '```',
    '    ',
    '\t',
    '\n',
    '\r',
    '\r\n',
    '\n\n',
    '\v',
    '\f',
    '\0',
    '\x07',
    '\b',
    '\x7f',
    '\u0085',
    '\x9b',
  ],
  ...[
    '\x1b[31m',
    '\x1b[2J',
    '\x1b]0;title\x07',
    '\x1b]8;;//x.invalid\x1b\\',
    '\x9b31m',
    '\x9d0;title\x9c',
    '\x1bc',
  ],
  ...[
    '\u2028',
    '\u2029',
    '\u202e',
    '\u202d',
    '\u2066',
    '\u2069',
    '\u061c',
    '\u200e',
    '\u200b',
    '\u200d',
    '\ufeff',
  ],
  ...[
    '\ud800',
    '\udc00',
    '\u{e0041}',
    '\u{10ffff}',
    '\ufffe',
    '\uffff',
    '\u0301',
    '\u3164',
    '\u00ad',
    '👩‍🚀',
    '犬',
    'ی‌ا',
  ],
  ...[
    '=1+1',
    '=cmd|x!A1',
    '+1',
    '-1',
    '@SUM(A1)',
    '%0',
    '＝1',
    ';=1',
    ',',
    ';',
    ':',
    ': ',
    ' #',
    '{',
    '}',
    '{{x}}',
    '${x}',
  ],
  ...[
    '../',
    '..\\',
    '/',
    'C:\\',
    'a/b',
    'con',
    '.',
    '..',
    '%s',
    '%n',
    '%2e',
    '__proto__',
    'constructor',
    'toString',
  ],
  ...[
    'null',
    'true',
    'NaN',
    '1e999',
    '!!js/x',
    '&a',
    '*a',
    '? ',
    '|-',
    '%TAG',
    '---\n',
    '...',
    '"""',
    ' ',
    '  ',
    'class 0',
  ],
  ...['background', '???', 'Dog', 'cat', 'a', 'z', '0', '\\n', '\\u001b', '\\x1b[2J'],
];

/** @param {number} seed @returns {() => number} integers of 32 bits */
function xorshift(seed) {
  let state = Math.imul(seed + 1, 2654435761) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** The first texts are the fragments alone; then they are put together. @param {number} number */
export function hostileText(number) {
  if (number < FRAGMENTS.length) return FRAGMENTS[number];
  const random = xorshift(number);
  const pieces = Array.from({ length: 1 + (random() % 6) }, () => {
    const kind = random() % 12;
    if (kind === 0) return String.fromCodePoint(random() % 0x110000);
    if (kind === 1) return String.fromCharCode(random() % 0xa0);
    return FRAGMENTS[random() % FRAGMENTS.length];
  });
  const text = pieces.join('');
  return random() % 50 === 0 ? text.repeat(1 + (random() % 2000)) : text;
}

export const NUM_FRAGMENTS = FRAGMENTS.length;
