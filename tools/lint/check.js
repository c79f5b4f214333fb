// Runs the lint rules of this repository that no other tool checks. Prints their messages; part of `make lint`.
import { fileURLToPath } from 'node:url';
import { checkIncludes, checkOperators } from './includes.js';
import { checkEntries, checkLinks, checkPages } from './links.js';
import { checkNames } from './names.js';
import { checkOwner } from './owner.js';
import { checkSizes } from './sizes.js';
import { checkTypes } from './types.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const checks = [
  checkIncludes,
  checkOperators,
  checkLinks,
  checkPages,
  checkEntries,
  checkNames,
  checkOwner,
  checkSizes,
  checkTypes,
];
const messages = checks.flatMap((check) => check(ROOT));
for (const message of messages) console.error(message);
if (messages.length > 0) process.exitCode = 1;
