import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import * as imported from 'travelsense';

const require = createRequire(import.meta.url);
const run = promisify(execFile);

// A project of its own, which knows the package only as installed and checks its types too.
const project = await mkdtemp(join(tmpdir(), 'travelsense-'));
after(() => rm(project, { recursive: true }));
await mkdir(join(project, 'node_modules'));
await symlink(join(import.meta.dirname, '..'), join(project, 'node_modules', 'travelsense'));
for (const name of ['@remix-run', '@types', 'express', 'undici-types']) {
  await symlink(join(import.meta.dirname, '..', 'node_modules', name), join(project, 'node_modules', name));
}

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

test('import and require give the same classes', () => {
  /** @type {typeof imported} */
  const required = require('travelsense');
  assert.equal(required.TravelsenseError, imported.TravelsenseError);
  assert.equal(required.open, imported.open);
  const names = ['Analytics', 'TravelsenseError', 'backtest', 'createHandler', 'detectAnomalies', 'forecast', 'open'];
  assert.deepEqual(Object.keys(required).sort(), names);
});

/** What an example of the README takes for granted. */
const granted = `import { open as opened, TravelsenseError, type Analytics } from 'travelsense';
declare const analytics: Analytics;
declare const store: Analytics;
const funnel = await store.funnel({ steps: ['search'], startDate: '2026-01-01', endDate: '2026-01-31' });
export { analytics, funnel, opened, store, TravelsenseError };
`;

test('the examples of the README compile', async () => {
  const readme = await readFile(join(import.meta.dirname, '..', 'README.md'), 'utf8');
  const examples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, example = '']) => example);
  assert.equal(examples.length, 6);
  const files = examples.map((_, i) => `readme${i}.mts`);
  await writeFile(join(project, 'granted.mts'), granted);
  const needs = (/** @type {string} */ name, /** @type {string} */ text) =>
    new RegExp(`\\b${name}\\b`).test(text) && !new RegExp(`(const|import).*\\b${name}\\b.*(=|from)`).test(text);
  for (const [i, example] of examples.entries()) {
    const names = ['analytics', 'funnel', 'store', 'TravelsenseError'].filter((name) => needs(name, example));
    const from = names.length > 0 ? `import { ${names.join(', ')} } from './granted.mjs';\n` : '';
    await writeFile(join(project, `readme${i}.mts`), `${from}${example}\nexport {};\n`);
  }
  const [first = '', ...others] = files;
  const source = await readFile(join(project, first), 'utf8');
  assert.equal(await compile(first, source, '--module', 'nodenext', '--noEmit', '--skipLibCheck', ...others), '');
});

test('the first example of the README leads from a file to a funnel', async () => {
  const readme = await readFile(join(import.meta.dirname, '..', 'README.md'), 'utf8');
  await writeFile(join(project, 'first.mjs'), /```ts\n(.*?)```/s.exec(readme)?.[1] ?? '');
  const rows = [
    'ada,search,10:00',
    'ada,view_trip,10:05',
    'bob,search,11:00',
    'ada,start_booking,10:12',
    'ada,complete_booking,10:20',
    'cy,,12:00',
  ];
  const lines = rows.map((row) => row.replace(/,(?=\d)/, ',2026-01-02T') + ':00Z');
  await writeFile(join(project, 'events.csv'), ['customer_id,action,created_at', ...lines, ''].join('\n'));
  const { stdout } = await run(process.execPath, ['first.mjs'], { cwd: project });
  assert.equal(stdout, /```text\n(.*?)```/s.exec(readme)?.[1]);
});

test('the other examples of the README run behind the first', async () => {
  const readme = await readFile(join(import.meta.dirname, '..', 'README.md'), 'utf8');
  const examples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, example = '']) => example);
  const [first = '', , , limits = '', answers = '', errors = ''] = examples;
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  const row = "select 'dee' as customer_id, 'search' as action, timestamp '2026-01-03 10:00:00' as created_at";
  await connection.run(`copy (${row}) to '${join(project, 'more.parquet')}'`);
  await writeFile(join(project, 'events.csv'), 'customer_id,action,created_at\nada,search,2026-01-02T10:00:00Z\n');
  // The figures of the moment come until somebody leaves.
  const program = `${first.replace('await store.close();', '')}${answers}${errors}
try {
  setTimeout(() => abort.abort(), 1_000);
  ${limits.replace(/const abort = .*/, '')}
} catch (error) {
  console.log(error.name);
}
await store.close();`;
  const source = program.replace('setTimeout', 'const abort = new AbortController();\n  setTimeout');
  await writeFile(join(project, 'all.mjs'), source.replaceAll('travel.db', 'all.db'));
  const { stdout } = await run(process.execPath, ['all.mjs'], { cwd: project });
  assert.match(stdout, /^search 1n$/m);
  assert.match(stdout, /^steps \w+ .+$/m);
  assert.match(stdout, /^startDate \w+ .+$/m);
  assert.match(stdout, /^1 of 1$/m);
  assert.match(stdout, /^active_users \d+, page_views \d+.*\nAbortError$/m);
});

test('a question with a wrong word does not compile', async () => {
  const source = `import { open } from 'travelsense';
const store = await open(':memory:');
await store.retention({ cohortPeriod: 'yearly', startDate: '2026-01-01', endDate: '2026-01-31' });
await store.funnel({ step: ['a'], startDate: '2026-01-01', endDate: '2026-01-31' });
await store.people({ word: 'funnel', question: { startDate: '2026-01-01', endDate: '2026-01-31' }, cell: { cell: 'entred' } });`;
  const complaints = await compile('wrong.mts', source, '--module', 'nodenext', '--noEmit');
  assert.match(complaints, /'"yearly"' is not assignable to type 'CohortPeriod'/);
  assert.match(complaints, /'step' does not exist in type 'FunnelQuestion'/);
  assert.match(complaints, /'"entred"' is not assignable|"entred"/);
});
