// What the compiler says of a file of types.

import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';

const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--module', 'nodenext'];

/**
 * The complaints of a strict compiler about a file; nothing where there are none.
 * @param {string} folder
 * @param {string} file
 * @returns {Promise<string>}
 */
export const compiled = (folder, file) =>
  promisify(execFile)(process.execPath, [compiler, ...options, file], { cwd: folder }).then(
    () => '',
    (/** @type {{ stdout: string }} */ error) => error.stdout,
  );
