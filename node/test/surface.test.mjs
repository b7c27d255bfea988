// Whatever the core can do is reachable from here: its verbs, its words and its permissions, read from its sources.

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as exported from 'travelsense';
import { compiled } from './compiled.mjs';

const { Analytics, open } = exported;

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'core', 'src', 'analytics');

/** What of the core's handle stands here under another name, and what is no verb of a program's. */
const otherwise = {
  open: '`open`',
  in_memory: '`open(":memory:")`',
  open_with: '`open`',
  until: 'the option `signal`',
  within: 'the option `timeoutMs`',
  watched: 'the option `onProgress`',
  now: 'the option `now` of `open`',
  ask: '`query`',
  timelines: '`warmUp`',
  ingest_batch: 'the options of `ingest`',
  take_notifications: '`deliverNotifications`',
  attempted: '`deliverNotifications`',
  export_file: '`saveExport`, and the handler as a stream',
  report: 'what `export` writes',
  metadata: 'the store behind dashboards, which has no verbs of its own',
  export_once: '`export` with an `idempotencyKey`',
  create_dashboard_once: '`createDashboard` with an `idempotencyKey`',
  widgets_data: '`dashboardData`',
  verify_audit_by: '`verifyAudit` with anchors',
  record: 'verbs write their own entries',
  on_record: 'verbs write their own entries',
  expire_exports: 'every `export` does it, and the handler now and then',
  admit: 'a token, of which a program that says who acts has none',
  admit_at_once: 'a token, of which a program that says who acts has none',
  ingest_batches: '`ingest`; the handler takes batches of several senders together',
  prepare_ingest: 'what the first `ingest` does',
  count_alert_news: 'for programs that push `alertNews`',
  note_source: 'for programs that follow sources',
  note_recovery: 'for programs that open a store in another process first',
  has_room: 'trouble of ingestStatus',
  open_dashboard: '`dashboard`, for verbs that write an entry of their own',
  wind_down: 'for programs that have to stop within a time; `close` does it',
  close_within: 'for programs that have to stop within a time; `close` does it',
};

/** @param {string} snake */
const camel = (snake) => snake.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

/** @param {string} path */
const source = async (path) => (await readFile(path, 'utf8')).split('\nmod tests')[0] ?? '';

const rooms = async () => (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.rs'));

test('every verb of the core is one of Analytics', async () => {
  const files = await rooms();
  /** @type {Set<string>} */
  const verbs = new Set();
  for (const file of files) {
    for (const [, block = ''] of (await source(join(folder, file))).matchAll(/^impl Analytics \{\n(.*?)^\}/gms)) {
      for (const [, verb = ''] of block.matchAll(/^ {4}pub fn (\w+)/gm)) verbs.add(verb);
    }
  }
  assert.ok(verbs.size > 80, `${verbs.size} verbs were found`);
  const store = await open(':memory:');
  const missing = [...verbs].filter((verb) => {
    // A word's JSON form is what is asked here; the people behind its numbers are `people`.
    const name = verb.replace(/_json$/, '');
    return !(verb in otherwise) && !/_people$/.test(verb) && !(camel(name) in store) && !(camel(name) in exported);
  });
  await store.close();
  assert.deepEqual(missing, []);
  const stale = Object.keys(otherwise).filter((verb) => !verbs.has(verb));
  assert.deepEqual(stale, [], 'what the core does not have needs no other name');
});

test('every word of the core can be asked, and has types', async () => {
  /** @type {string[]} */
  const words = [];
  for (const file of await rooms()) {
    for (const [, name = ''] of (await source(join(folder, file))).matchAll(/: Word = Word \{\s*name: "(\w+)"/g)) {
      words.push(name);
    }
  }
  const table = await readFile(join(folder, 'word.rs'), 'utf8');
  assert.equal(words.length, Number(/const WORDS: \[Word; (\d+)\]/.exec(table)?.[1]));
  const types = await readFile(join(root, 'node', 'src', 'words.ts'), 'utf8');
  const typed = [...types.matchAll(/^ {2}(\w+): \{ question: /gm)].map(([, name]) => name);
  assert.deepEqual(typed.sort(), words.sort());
  for (const word of words) assert.ok(camel(word) in exported || camel(word) in Analytics.prototype, word);
});

test('every word with a chart may be drawn, as its types have it', async () => {
  const drawn = /CHARTED: \[&str; (\d+)\] = \[(.*?)\];/s.exec(await source(join(folder, 'chart.rs')));
  const core = [...(drawn?.[2] ?? '').matchAll(/"(\w+)"/g)].map(([, word]) => word);
  assert.equal(core.length, Number(drawn?.[1]));
  const types = await readFile(join(root, 'node', 'src', 'analytics.ts'), 'utf8');
  const [, union = ''] = /^type Charted =(.*?);/ms.exec(types) ?? [];
  assert.deepEqual([...union.matchAll(/'(\w+)'/g)].map(([, word]) => word).sort(), core.sort());
});

test('every field of a question is in its types, and there is no other', async (t) => {
  const store = await open(':memory:');
  t.after(() => store.close());
  const table = await readFile(join(root, 'node', 'src', 'words.ts'), 'utf8');
  const words = [...table.matchAll(/^ {2}(\w+): \{ question: /gm)].map(([, word = '']) => word);
  const lines = [
    "import type { Words } from './dist/index.js';",
    // Of a union, the fields of all its parts.
    'type Fields<Q> = Q extends Q ? keyof Q : never;',
    'type Same<A, B> = [Exclude<A, B>, Exclude<B, A>] extends [never, never] ? true : [lacks: Exclude<A, B>, knows: Exclude<B, A>];',
  ];
  for (const word of words) {
    // The core names all fields that it knows.
    const refused = await store
      .query(/** @type {any} */ (word), /** @type {any} */ ({ '?': null }))
      .catch((error) => error);
    const said = refused.errors.find((/** @type {{ code: string }} */ { code }) => code === 'unknown_field').message;
    const fields = said.split('known are ')[1].split(', ');
    // A sample is for the funnel among the insights alone; forecasts and their backtests are read in one place.
    if (word === 'user_insights') fields.push('sample');
    const of = ['forecast', 'backtest'].includes(word) ? "'forecast' | 'backtest'" : `'${word}'`;
    lines.push(`export const ${word}: Same<'${fields.join("' | '")}', Fields<Words[${of}]['question']>> = true;`);
  }
  const folder = await mkdtemp(join(tmpdir(), 'travelsense-'));
  t.after(() => rm(folder, { recursive: true }));
  await symlink(join(root, 'node', 'dist'), join(folder, 'dist'));
  await writeFile(join(folder, 'fields.ts'), lines.join('\n'));
  assert.equal(await compiled(folder, 'fields.ts'), '');
});

test('every permission of the core is named', async () => {
  const access = await readFile(join(root, 'core', 'src', 'access', 'mod.rs'), 'utf8');
  const core = [...access.matchAll(/Self::\w+ => "(\w+)"/g)].map(([, name]) => name);
  const types = await readFile(join(root, 'node', 'src', 'admin.ts'), 'utf8');
  const [, union = ''] = /export type Permission =(.*?);/s.exec(types) ?? [];
  assert.deepEqual([...union.matchAll(/'(\w+)'/g)].map(([, name]) => name).sort(), core.sort());
  const store = await open(':memory:');
  assert.ok((await store.permissions()).includes('erase_people'));
  assert.deepEqual(await store.acting('c', 'collector').permissions(), ['ingest_events']);
  await store.close();
});
