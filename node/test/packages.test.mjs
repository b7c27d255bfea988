// What is published, as other projects meet it: its manifest, its types under every way to resolve them, and its native module.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { stage } from '../stage.mjs';

const require = createRequire(import.meta.url);
const run = promisify(execFile);
const here = join(import.meta.dirname, '..');

const folder = await mkdtemp(join(tmpdir(), 'travelsense-'));
after(() => rm(folder, { recursive: true }));
const { main, beside } = await stage(join(folder, 'staged'), join(here, 'travelsense.node'), { link: true });

// A project with both packages installed, as npm does it.
const project = join(folder, 'project');
const modules = join(project, 'node_modules');
await mkdir(join(modules, '@travelsense'), { recursive: true });
await mkdir(join(modules, '@types'));
await rename(main, join(modules, 'travelsense'));
const installed = join(modules, '@travelsense', beside.split('/').at(-1) ?? '');
await rename(beside, installed);
for (const name of ['@types/node', 'undici-types', '@duckdb'])
  await symlink(join(here, 'node_modules', name), join(modules, name));
await writeFile(join(project, 'package.json'), '{ "private": true }');

/** @param {string} file @param {string[]} args */
const node = async (file, ...args) => (await run(process.execPath, [...args, file], { cwd: project })).stdout;

/**
 * @param {string} file
 * @param {string} source
 * @param {string[]} options
 */
async function compiled(file, source, ...options) {
  await writeFile(join(project, file), source);
  const strict = [
    '--strict',
    '--exactOptionalPropertyTypes',
    '--noUncheckedIndexedAccess',
    '--noPropertyAccessFromIndexSignature',
  ];
  const target = ['--target', 'es2022', '--lib', 'es2022', '--types', 'node', '--skipLibCheck', 'false'];
  const compiler = require.resolve('typescript/bin/tsc');
  await run(process.execPath, [compiler, ...strict, ...target, ...options, file], { cwd: project }).catch(
    (/** @type {{ stdout: string }} */ { stdout }) => assert.fail(stdout),
  );
}

const body = `
  await store.ingest([{ userId: 'u', name: 'a', ts: new Date(0) }, { userId: 'u', name: 'b', ts: new Date(1) }]);
  const question = { steps: ['a', 'b'], startDate: '1970-01-01', endDate: '1970-01-02' };
  const answer = await store.funnel(question);
  const [day] = (await store.query('engagement', { startDate: '1970-01-01', endDate: '1970-01-02' })).activeUsers?.daily ?? [];
  console.log(answer.converted, day?.users);
`;

test('publint finds nothing', async () => {
  const pkgDir = join(modules, 'travelsense');
  const { messages, pkg } = await publint({ pkgDir, level: 'suggestion', strict: true, pack: 'npm' });
  const found = messages.map((message) => formatMessage(message, pkg));
  assert.deepEqual(found, []);
});

test('the types are right however they are resolved', async () => {
  const attw = join(dirname(require.resolve('@arethetypeswrong/cli/package.json')), 'dist', 'index.js');
  const { stdout } = await run(process.execPath, [
    attw,
    '--pack',
    join(modules, 'travelsense'),
    '--format',
    'ascii',
    '--no-color',
  ]).catch((/** @type {{ stdout: string }} */ { stdout }) => assert.fail(stdout));
  assert.match(stdout, /No problems found/);
});

test('a strict ESM project compiles and runs', async () => {
  const source = `import { createHandler, open, type Handler, type Question, type Insight } from 'travelsense';
export const ask = (asked: Question): number | null => (asked.word === 'funnel' ? asked.question.steps?.length ?? 0 : null);
export const entered = (insight: Insight): number =>
  insight.insightType === 'conversion_funnel' ? insight.data.entered : 0;
{
  await using store = await open(':memory:');
  ${body}
  const handler: Handler = createHandler({ analytics: store, getPrincipal: () => ({ id: 'ana', role: 'admin' }) });
  console.log((await handler(new Request('http://localhost/health'))).status);
}`;
  await compiled('esm.mts', source, '--module', 'nodenext', '--lib', 'es2022,esnext.disposable');
  assert.equal(await node('esm.mjs'), '1 1\n200\n');
});

test('a CommonJS project compiles and runs', async () => {
  const source = `import travelsense = require('travelsense');
async function main(): Promise<void> {
  const store = await travelsense.open(':memory:');
  ${body}
  await store.close();
}
void main();`;
  await compiled('cjs.cts', source, '--module', 'nodenext');
  assert.equal(await node('cjs.cjs'), '1 1\n');
});

for (const format of /** @type {const} */ (['cjs', 'esm'])) {
  test(`a bundle as ${format} runs`, async () => {
    const source = `import { open } from 'travelsense';
const main = async (): Promise<void> => {
  const store = await open(':memory:');
  ${body}
  await store.close();
};
void main();`;
    await compiled('bundled.ts', source, '--module', 'esnext', '--moduleResolution', 'bundler', '--noEmit');
    const { build } = await import('esbuild');
    const outfile = join(project, format === 'cjs' ? 'bundle.cjs' : 'bundle.mjs');
    const require = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
    const { warnings } = await build({
      absWorkingDir: project,
      entryPoints: ['bundled.ts'],
      bundle: true,
      platform: 'node',
      format,
      outfile,
      logLevel: 'silent',
      // What esbuild asks of every ESM bundle with CommonJS inside.
      ...(format === 'esm' ? { banner: { js: require } } : {}),
    });
    assert.deepEqual(warnings, []);
    assert.equal(await node(outfile), '1 1\n');
  });
}

test('it works beside another DuckDB in one process, whichever comes first', async () => {
  const one = "import { DuckDBInstance } from '@duckdb/node-api';";
  const other = "import { open } from 'travelsense';";
  for (const [i, imports] of [`${one}\n${other}`, `${other}\n${one}`].entries()) {
    const source = `${imports}
const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
const store = await open(':memory:');
await store.ingest([{ userId: 'u', name: 'a', ts: new Date(0) }]);
const [theirs, ours] = await Promise.all([
  connection.runAndReadAll('select sum(i)::int as n from range(100000) t(i) where i < 100'),
  store.engagement({ startDate: '1970-01-01', endDate: '1970-01-02' }),
]);
console.log(theirs.getRows()[0][0], ours.users);
await store.close();`;
    await writeFile(join(project, `beside${i}.mjs`), source);
    assert.equal(await node(`beside${i}.mjs`), '4950 1\n');
  }
});

test('a native module that is missing, or does not load, is named', async () => {
  const away = join(folder, 'away');
  await rename(installed, away);
  const told = "try { require('travelsense') } catch (e) { console.log(e.code, e.message, e.cause?.code) }";
  const tell = async () => (await run(process.execPath, ['-e', told], { cwd: project })).stdout;
  assert.match(await tell(), /^native_module_missing .*the package @travelsense\/\S+ is not installed/);
  await mkdir(installed);
  await writeFile(join(installed, 'package.json'), '{ "main": "travelsense.node" }');
  await writeFile(join(installed, 'travelsense.node'), 'no module');
  assert.match(await tell(), /^native_module_failed @travelsense\/\S+ does not load on .* ERR_DLOPEN_FAILED/);
  await rm(installed, { recursive: true });
  await rename(away, installed);
});

test('nothing runs when it is installed, and each platform has its own package', async () => {
  const manifest = JSON.parse(await readFile(join(modules, 'travelsense', 'package.json'), 'utf8'));
  assert.equal(manifest.scripts, undefined);
  assert.equal(manifest.dependencies, undefined);
  const packages = Object.keys(manifest.optionalDependencies);
  assert.ok(packages.every((name) => manifest.optionalDependencies[name] === manifest.version));
  const { name, os, cpu, libc, version } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
  assert.ok(packages.includes(name));
  assert.deepEqual([os, cpu, version], [[process.platform], [process.arch], manifest.version]);
  if (process.platform === 'linux') assert.deepEqual(libc, ['glibc']);
});
