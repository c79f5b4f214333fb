// Answers against the OpenAPI document.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import ajv2020 from 'ajv/dist/2020.js';

/** @type {any} */
export const openapi = JSON.parse(
  readFileSync(new URL('../../examples/service/openapi.json', import.meta.url), 'utf8'),
);
const ajv = new ajv2020.Ajv2020({ strict: false });
ajv.addSchema({ $id: 'openapi', ...openapi });

/**
 * The body of an answer, which must be as the document says.
 * @param {string} operation such as 'POST /detect'
 * @param {{status: number, headers: {get(name: string): string | null}, arrayBuffer(): Promise<ArrayBuffer>}} response
 * @returns {Promise<any>} JSON's value, or bytes
 */
export async function readAnswer(operation, response) {
  const [method, path] = operation.split(' ');
  const { responses } = openapi.paths[path][method.toLowerCase()];
  const { status } = response;
  assert.ok(status in responses, `${operation} does not answer ${status}`);
  const [type] = (response.headers.get('content-type') ?? '').split(';');
  assert.ok(type in responses[status].content, `${status} of ${operation} is no ${type}`);
  for (const header of Object.keys(responses[status].headers ?? {}))
    assert.ok(response.headers.get(header), `${status} without ${header}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (type !== 'application/json') return bytes;
  const value = JSON.parse(new TextDecoder().decode(bytes));
  const parts = ['paths', path, method.toLowerCase(), 'responses', status, 'content', type, 'schema'];
  const pointer = parts.map((part) =>
    encodeURIComponent(String(part).replace(/~/g, '~0').replace(/\//g, '~1')),
  );
  const validate = ajv.compile({ $ref: `openapi#/${pointer.join('/')}` });
  assert.ok(validate(value), `${operation} ${status}: ${ajv.errorsText(validate.errors)}`);
  return value;
}
