import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import * as imported from 'travelsense';

const require = createRequire(import.meta.url);
const run = promisify(execFile);

// A project of its own, which knows the package only as installed and checks its types too.
const project = await mkdtemp(join(tmpdir(), 'travelsense-'));
after(() => rm(project, { recursive: true }));
await mkdir(join(project, 'node_modules'));
await symlink(join(import.meta.dirname, '..'), join(project, 'node_modules', 'travelsense'));

/**
 * Compiles a file of the project in strict mode; the compiler's complaints, if any.
 * @param {string} file
 * @param {string} source
 * @param {string[]} options
 */
async function compile(file, source, ...options) {
  await writeFile(join(project, file), source);
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--preserveSymlinks'];
  const target = ['--target', 'es2022', '--lib', 'es2022,dom'];
  const compiler = require.resolve('typescript/bin/tsc');
  const done = run(process.execPath, [compiler, ...strict, ...target, ...options, file], { cwd: project });
  return done.then(
    () => '',
    (/** @type {{ stdout: string }} */ error) => error.stdout,
  );
}

/** @param {string} file */
const output = async (file) => (await run(process.execPath, [file], { cwd: project })).stdout;

const body = `
  const answer = await store.funnel({ steps: ['a', ['b', 'c'], null], startDate: '2026-01-01', endDate: new Date() });
  const text: string = answer.toJSONText();
  const table: Uint8Array = await answer.toArrowIPC();
  const share: number | null = answer.rate.value;
  console.log(answer.steps.length, share, text.startsWith('{"_id":'), table.length > 0);
`;

test('import and require give the same classes', () => {
  /** @type {typeof imported} */
  const required = require('travelsense');
  assert.equal(required.TravelsenseError, imported.TravelsenseError);
  assert.equal(required.open, imported.open);
  assert.deepEqual(Object.keys(required).sort(), ['Analytics', 'TravelsenseError', 'open']);
});

test('a strict TypeScript module with `await using` compiles and runs', async () => {
  const source = `import { open } from 'travelsense';
{
  await using store = await open(':memory:');
  ${body}
}`;
  assert.equal(await compile('module.mts', source, '--module', 'nodenext'), '');
  assert.equal(await output('module.mjs'), '3 null true true\n');
});

test('a strict TypeScript script with `require` compiles and runs', async () => {
  const source = `import travelsense = require('travelsense');
async function main(): Promise<void> {
  const store: travelsense.Analytics = await travelsense.open(':memory:');
  ${body}
  await store.close();
}
void main();`;
  assert.equal(await compile('script.cts', source, '--module', 'nodenext'), '');
  assert.equal(await output('script.cjs'), '3 null true true\n');
});

test('a bundler finds the types', async () => {
  const source = `import { open } from 'travelsense';
export async function ask(): Promise<number> {
  const store = await open(':memory:');
  ${body}
  return answer.entered;
}`;
  const options = ['--module', 'esnext', '--moduleResolution', 'bundler', '--noEmit'];
  assert.equal(await compile('bundled.ts', source, ...options), '');
});

test('the examples of the README compile', async () => {
  const readme = await readFile(join(import.meta.dirname, '..', 'README.md'), 'utf8');
  const examples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, example]) => example);
  assert.equal(examples.length, 4);
  assert.equal(await compile('readme.mts', examples.join('\n'), '--module', 'nodenext', '--noEmit'), '');
});

test('a question with a wrong word does not compile', async () => {
  const source = `import { open } from 'travelsense';
const store = await open(':memory:');
await store.retention({ cohortPeriod: 'yearly', startDate: '2026-01-01', endDate: '2026-01-31' });
await store.funnel({ step: ['a'], startDate: '2026-01-01', endDate: '2026-01-31' });`;
  const complaints = await compile('wrong.mts', source, '--module', 'nodenext', '--noEmit');
  assert.match(complaints, /'"yearly"' is not assignable to type 'CohortPeriod'/);
  assert.match(complaints, /'step' does not exist in type 'FunnelQuestion'/);
});
