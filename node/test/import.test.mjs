import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { RecordBatchFileWriter, tableFromArrays, tableToIPC } from 'apache-arrow';
import { open, TravelsenseError } from 'travelsense';

const folder = await mkdtemp(join(tmpdir(), 'travelsense-'));
after(() => rm(folder, { recursive: true }));

const now = '2026-03-01T00:00:00Z';
const range = { startDate: '2026-01-01', endDate: '2026-01-31' };

/**
 * A file of that many lines, a user each, all of the same day.
 * @param {string} name
 * @param {number} users
 */
async function lines(name, users) {
  const line = (/** @type {number} */ i) => `{"userId":"u${i}","name":"a","ts":"2026-01-10T10:00:00Z"}\n`;
  const path = join(folder, name);
  await writeFile(path, Array.from({ length: users }, (_, i) => line(i)).join(''));
  return path;
}

test('a file is imported with its own names of columns, and what is malformed is told by its line', async () => {
  const path = join(folder, 'a.csv');
  await writeFile(path, 'who,when,what\nu1,2026-01-10 10:00,a\nu2,soon,a\nu1,2026-01-11 10:00,b\n');
  const store = await open(':memory:', { now });
  const report = await store.import(path, { user: 'who', time: 'when', name: 'what', timezone: 'Europe/Paris' });
  assert.deepEqual([report.sent, report.accepted, report.duplicates, report.refused], [3, 2, 0, 1]);
  assert.deepEqual(
    report.refusals.map(({ line, errors }) => [line, errors.map(({ field }) => field)]),
    [[3, ['when']]],
  );
  assert.deepEqual(JSON.parse(report.toJSONText()), report);
  const { steps } = await store.funnel({ steps: ['a', 'b'], ...range });
  assert.deepEqual([steps[0]?.count, steps[1]?.count, steps[1]?.timeFromEntry.median], [1, 1, 86400]);
  await store.close();
});

test('a path may be a file: URL, and what holds no rows is refused', async () => {
  await lines('url.ndjson', 3);
  const store = await open(pathToFileURL(join(folder, 'url.db')), { now });
  assert.equal((await store.import(pathToFileURL(join(folder, 'url.ndjson')))).accepted, 3);
  await store.close();
  const again = await open(join(folder, 'url.db'), { now });
  assert.equal((await again.funnel({ steps: ['a'], ...range })).entered, 3);
  for (const source of [undefined, null, 5, {}]) {
    // @ts-expect-error as a caller without types may call it
    await assert.rejects(again.import(source), { name: 'TypeError', message: /^a path, a file: URL/ });
  }
  await again.close();
});

test('a strict import keeps nothing of a file with a malformed line', async () => {
  const path = join(folder, 'strict.ndjson');
  await writeFile(path, '{"userId":"u","name":"a","ts":"2026-01-10"}\n{"userId":"u","name":\n');
  const store = await open(':memory:', { now });
  await assert.rejects(store.import(path, { strict: true }), { kind: 'invalid', code: 'validation_failed' });
  assert.equal((await store.funnel({ steps: [null], ...range })).entered, 0);
  await store.close();
});

test('Arrow in memory is imported, as a stream and as a file', async () => {
  const table = tableFromArrays({
    user_id: ['u1', 'u1', 'u2', null],
    name: ['a', 'b', 'a', 'a'],
    ts: ['2026-01-10T10:00:00Z', '2026-01-10T11:00:00Z', '2026-01-10T12:00:00Z', '2026-01-10T12:00:00Z'],
  });
  const file = await RecordBatchFileWriter.writeAll(table).toUint8Array();
  for (const bytes of [tableToIPC(table, 'stream'), file]) {
    const store = await open(':memory:', { now });
    assert.equal((await store.import(bytes)).accepted, 4);
    const answer = await store.funnel({ steps: ['a', 'b'], ...range });
    assert.deepEqual([answer.entered, answer.converted, answer.unattributedEvents], [2, 1, 1]);
    await store.close();
  }
});

test('profiles are a table of their own', async () => {
  const profiles = tableFromArrays({
    who: ['u1', 'u2'],
    plan: ['premium', 'basic'],
    since: ['2026-01-01', '2026-01-01'],
  });
  const store = await open(':memory:', { now });
  await store.import(tableToIPC(profiles), { table: 'profiles', user: 'who', time: 'since' });
  await store.ingest(['u1', 'u2', 'u3'].map((userId) => ({ userId, name: 'a', ts: '2026-01-10' })));
  assert.equal((await store.funnel({ steps: ['a'], ...range, segment: 'premium' })).entered, 1);
  assert.equal((await store.funnel({ steps: ['a'], ...range, segment: 'free' })).entered, 2);
  await store.close();
});

test('progress is heard up to the last row', async () => {
  const path = await lines('progress.ndjson', 50_000);
  const store = await open(':memory:', { now });
  /** @type {import('travelsense').Progress[]} */
  const heard = [];
  await store.import(path, { onProgress: (progress) => heard.push(progress) });
  assert.ok(heard.length > 0);
  const last = heard.at(-1);
  assert.deepEqual(last, { rows: 50_000, totalRows: null, bytes: last?.totalBytes, totalBytes: last?.totalBytes });
  assert.ok(last?.bytes);
  await store.close();
});

test('an import that is aborted is rejected with the reason, and nothing of it is kept', async () => {
  const path = await lines('aborted.ndjson', 300_000);
  const store = await open(':memory:', { now });
  const reason = new Error('enough');
  const abort = new AbortController();
  const running = store.import(path, { signal: abort.signal, onProgress: () => abort.abort(reason) });
  await assert.rejects(running, (error) => error === reason);
  await assert.rejects(store.import(path, { signal: abort.signal }), (error) => error === reason);
  assert.equal((await store.funnel({ steps: [null], ...range })).entered, 0);
  await store.close();
});

test('a signal that comes when all is kept changes nothing, and one that comes before keeps nothing', async () => {
  const path = await lines('late.ndjson', 20_000);
  for (let i = 0; i < 12; i++) {
    const store = await open(':memory:', { now });
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), 4 * i);
    const accepted = await store.import(path, { signal: abort.signal }).then(
      (report) => report.accepted,
      (error) => (assert.equal(error.name, 'AbortError'), 0),
    );
    clearTimeout(timer);
    assert.equal((await store.ingestStatus()).stored?.events, accepted);
    await store.close();
  }
});

test('an exception of the progress callback stops the import and is what it is rejected with', async () => {
  const path = await lines('thrown.ndjson', 300_000);
  const store = await open(':memory:', { now });
  const thrown = new RangeError('mine');
  const onProgress = () => {
    throw thrown;
  };
  await assert.rejects(store.import(path, { onProgress }), (error) => error === thrown);
  await store.close();
});

test('a source that cannot be read is an error of its own', async () => {
  const store = await open(':memory:');
  /** @type {[string | Uint8Array, string, string][]} */
  const table = [
    [join(folder, 'absent.csv'), 'storage', 'not_found'],
    [join(folder, 'a.doc'), 'invalid', 'validation_failed'],
    [new Uint8Array(0), 'invalid', 'validation_failed'],
    [new Uint8Array([65, 82, 82, 79, 87, 49, 0, 0, 1]), 'invalid', 'validation_failed'],
  ];
  for (const [source, kind, code] of table) await assert.rejects(store.import(source), { kind, code });
  await store.close();
});

test('everything wrong with the options of an import is said at once', async () => {
  const store = await open(':memory:');
  /** @type {any} */
  const wrong = { user: 5, when: 'ts', table: 'users', strict: 'yes', timezone: 'Mars' };
  const error = await store.import(join(folder, 'absent.csv'), wrong).catch((error) => error);
  assert.ok(error instanceof TravelsenseError);
  assert.deepEqual(error.errors.map(({ field, code }) => `${field} ${code}`).sort(), [
    'strict invalid_type',
    'table not_in_list',
    'timezone unknown_zone',
    'user invalid_type',
    'when unknown_field',
  ]);
  await store.close();
});

test('each event of a batch is answered, and the same batch twice changes nothing', async () => {
  const store = await open(':memory:', { now });
  const events = [
    { userId: 'u', name: 'a', ts: new Date('2026-01-10T10:00:00Z'), eventId: 'e1' },
    { userId: 'u', name: 'a', ts: '2026-01-10T10:00:00Z', eventId: 'e1' },
    { userId: 'u', name: '', ts: '2026-01-10T10:00:00Z', eventId: 'e2' },
    { userId: 'u', name: 'a', ts: '2099-01-01T00:00:00Z', eventId: 'e3' },
  ];
  const first = await store.ingest(events);
  assert.deepEqual(
    first.events.map(({ status }) => status),
    ['accepted', 'duplicate', 'refused', 'refused'],
  );
  const refused = first.events[2];
  assert.ok(refused?.status === 'refused');
  assert.equal(refused.errors[0]?.field, 'name');
  assert.deepEqual([first.sent, first.accepted, first.duplicates, first.refused, first.quarantined], [4, 1, 1, 2, 1]);
  const second = await store.ingest(events);
  assert.deepEqual([second.accepted, second.duplicates, second.version], [0, 2, first.version]);
  /** @type {any} */
  const none = { userId: 'u' };
  await assert.rejects(store.ingest(none), { code: 'validation_failed' });
  await store.close();
});
