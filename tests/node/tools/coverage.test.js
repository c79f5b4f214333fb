// `make coverage` joins reports of builds and compares what no test runs with a list.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addReport, compare, missedLines } from '../../../tools/native/coverage.js';

test('a line is run if a test of one flavour runs it', () => {
  const lines = new Map();
  addReport(
    lines,
    'SF:/root/src/a.c\nDA:1,5\nDA:2,0\nDA:3,0\nend_of_record\nSF:/root/src/b.c\nDA:1,0\n',
    '/root',
  );
  addReport(lines, 'SF:/root/src/a.c\nDA:1,0\nDA:2,1\nDA:4,0\nend_of_record\n', '/root');
  assert.deepEqual(missedLines(lines), [
    { file: 'src/a.c', number: 3 },
    { file: 'src/a.c', number: 4 },
    { file: 'src/b.c', number: 1 },
  ]);
});

test('a line that is neither run nor listed is named, and one that is listed and run', () => {
  const listed = [{ file: 'a.c', lines: ['one();', 'two();'], reason: 'none' }];
  assert.deepEqual(
    compare([{ file: 'a.c', number: 1, code: 'one();' }], [{ ...listed[0], lines: ['one();'] }]),
    [],
  );
  assert.deepEqual(
    compare(
      [
        { file: 'a.c', number: 1, code: 'one();' },
        { file: 'b.c', number: 9, code: 'two();' },
      ],
      listed,
    ),
    ['b.c:9: no test runs: two();', 'a test runs, or it is gone: a.c: two();'],
  );
});
