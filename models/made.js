// The forms of the default model that are made of it: where their files are, and how they are checked.
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MODELS = fileURLToPath(new URL('../dist/models', import.meta.url));
const manifest = JSON.parse(readFileSync(new URL('manifest.json', import.meta.url), 'utf8'));
const model = manifest.models.find((/** @type {{id: string}} */ entry) => entry.id === manifest.default);

/** @param {'full' | 'compressed'} form */
export function readForm(form) {
  const { file } = form === 'full' ? model : model.made[form];
  return new Uint8Array(readFileSync(join(MODELS, file)));
}

/**
 * Writes a form's file, whose bytes are the same on every machine. If they are not those of the manifest, they lie
 * beside it: renew the manifest if the form is changed on purpose.
 * @param {'compressed' | 'int8'} form
 * @param {Uint8Array} bytes
 */
export function writeForm(form, bytes) {
  const { file, sha256 } = model.made[form];
  const path = join(MODELS, file);
  writeFileSync(`${path}.partial`, bytes);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== sha256) {
    console.error(`models: ${path}.partial has ${bytes.length} bytes and sha256 ${found}, not ${sha256}`);
    process.exit(1);
  }
  renameSync(`${path}.partial`, path);
  console.log(`models: ${path} written, ${bytes.length} bytes, sha256 matches`);
}
