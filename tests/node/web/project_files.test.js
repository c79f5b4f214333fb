// The file of a project, which may come from anywhere: what is written is read again, and damage is noticed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { installPage } from './stub_page.js';

installPage();
const { openProjectFile, toProjectFile } = await import('../../../web/project_files.js');

const kept = {
  state: { classes: [{ id: 3, name: 'Käse' }], pictures: [] },
  trained: {
    model: Uint8Array.from({ length: 500 }, (_, i) => (i * i) & 255),
    ...{ labels: ['Käse'], colors: ['rgb(1 2 3)'], files: { 'card.md': '# Card' }, facts: { time: '3 s' } },
  },
};

test("a project's file is read as it was written", async () => {
  assert.deepEqual(await openProjectFile(new Blob([await toProjectFile(kept)])), kept);
});

test("a project's file with a changed bit is refused", async () => {
  const file = await toProjectFile(kept);
  const model = Buffer.from(file).indexOf(kept.trained.model);
  const text = Buffer.from(file).indexOf('# Card');
  for (const at of [model, model + 499, text])
    await assert.rejects(openProjectFile(new Blob([file.with(at, file[at] ^ 1)])), {
      message: 'This file cannot be opened as a project: it is damaged.',
    });
});
