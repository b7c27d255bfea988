// What comes bit by bit: rows in and out, progress, the figures of the moment, users behind a number, exports.

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { tableFromIPC } from 'apache-arrow';
import { open, TravelsenseError } from 'travelsense';

const now = '2026-03-01T00:00:00Z';
const range = { startDate: '2026-01-01', endDate: '2026-01-31' };

/** @param {import('node:test').TestContext} t */
const memory = async (t) => {
  const store = await open(':memory:', { now });
  t.after(() => store.close());
  return store;
};

/** @param {number} count */
async function* rows(count) {
  for (let i = 0; i < count; i++) {
    yield {
      userId: `u${String(i % 5_000).padStart(4, '0')}`,
      name: 'abc'[i % 3],
      ts: new Date(Date.UTC(2026, 0, 1) + 1_000 * i),
    };
  }
}

test('objects are imported one by one, with progress that can be listened to', async (t) => {
  const store = await memory(t);
  const importing = store.import(rows(30_000));
  /** @type {import('travelsense').Progress[]} */
  const told = [];
  for await (const progress of importing.progress) told.push(progress);
  const report = await importing;
  assert.deepEqual([report.sent, report.accepted], [30_000, 30_000]);
  assert.ok(told.length > 0);
  assert.ok(told.every(({ rows }, i) => rows >= (told[i - 1]?.rows ?? 0)));
  assert.equal((await store.funnel({ steps: ['a', 'b'], ...range })).entered, 5_000);
  const left = (await readdir(tmpdir())).filter((name) => name === 'rows.ndjson');
  assert.deepEqual(left, []);
});

test('an import that fails fails its progress too, and what stops it is thrown as it was given', async (t) => {
  const store = await memory(t);
  const listen = async () => {
    for await (const _ of store.import('nothing.ndjson').progress);
  };
  await assert.rejects(listen(), { code: 'not_found' });
  const thrown = new Error('the cursor is gone');
  const failing = async function* () {
    yield* rows(3);
    throw thrown;
  };
  await assert.rejects(store.import(failing()), thrown);
  const reason = new Error('enough');
  await assert.rejects(store.import(rows(1e9), { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' });
  await assert.rejects(store.import(rows(3), { signal: AbortSignal.abort(reason) }), reason);
  assert.equal((await store.engagement(range)).users, 0);
});

test('who is who is told by rows, and taken back by erasing', async (t) => {
  const store = await memory(t);
  await store.import([{ anonymousId: 'd1', name: 'search', ts: '2026-01-05T10:00:00Z' }]);
  await store.import([{ userId: 'u1', name: 'book', ts: '2026-01-06T10:00:00Z' }]);
  const question = { steps: ['search', 'book'], ...range };
  assert.equal((await store.funnel(question)).converted, 0);
  const alias = { anonymousId: 'd1', userId: 'u1', ts: '2026-01-05T12:00:00Z' };
  assert.equal((await store.import([alias], { table: 'aliases', strict: true })).accepted, 1);
  assert.equal((await store.funnel(question)).converted, 1);
  const report = await store.erase(['u1', 'nobody']);
  assert.deepEqual([report.users, report.unknown, report.events], [1, 1, 2]);
  assert.equal((await store.funnel(question)).entered, 0);
});

test('an answer is a table of rows, exact as Arrow', async (t) => {
  const store = await memory(t);
  await store.import(rows(9_000));
  const answer = await store.retention({ cohortPeriod: 'hourly', ...range, endDate: '2026-01-02', periods: 40 });
  const table = tableFromIPC(await answer.toArrowIPC());
  /** @type {import('travelsense').Row[]} */
  const all = [];
  for await (const row of answer.toRows()) all.push(row);
  assert.equal(all.length, table.numRows);
  assert.ok(all.length > 500, 'more than cross at once');
  const [first] = all;
  const names = table.schema.fields.map(({ name }) => name);
  assert.deepEqual(Object.keys(first ?? {}), names);
  const counts = names.filter((name) => typeof first?.[name] === 'bigint');
  assert.ok(counts.length > 0);
  for (const name of counts) assert.equal(first?.[name], table.get(0)?.[name]);
  for await (const row of answer.toRows({ int64: 'number', instants: 'date' })) {
    assert.equal(typeof row[counts[0] ?? ''], 'number');
    assert.ok(Object.values(row).some((value) => value instanceof Date));
    break;
  }
  for await (const row of answer.toRows({ int64: 'string' })) {
    assert.equal(typeof row[counts[0] ?? ''], 'string');
    break;
  }
});

test('all users behind a number come one after the other', async (t) => {
  const store = await memory(t);
  await store.import(rows(15_000));
  /** @type {string[]} */
  const users = [];
  const question = { steps: ['a', 'b'], ...range };
  for await (const { userId } of store.allPeople({ word: 'funnel', question, cell: { cell: 'entered' } }))
    users.push(userId);
  assert.equal(users.length, (await store.funnel(question)).entered);
  assert.equal(new Set(users).size, users.length);
});

test('the figures of the moment come again and again until somebody leaves', async (t) => {
  const store = await memory(t);
  await assert.rejects(store.watchRealtime({ refreshInterval: 1 }).next(), TravelsenseError);
  for await (const metrics of store.watchRealtime()) {
    assert.equal(metrics.length, 6);
    break;
  }
  const abort = new AbortController();
  const reason = new Error('the page was closed');
  const watch = async () => {
    for await (const metrics of store.watchRealtime({ metrics: ['active_users'] }, abort.signal)) {
      assert.equal(metrics[0]?.metricName, 'active_users');
      abort.abort(reason);
    }
  };
  await assert.rejects(watch(), reason);
});

test('an export is watched until it is over', async (t) => {
  const store = await memory(t);
  await store.import(rows(5_000));
  const job = await store.export({ exportType: 'dataset', format: 'xlsx', dateRange: range });
  /** @type {string[]} */
  const seen = [];
  for await (const { status } of store.watchExport(job._id)) seen.push(status);
  assert.equal(seen.at(-1), 'completed');
  assert.equal(await store.resumeExports(), 0);
});

test('what was refused but kept is listed and sent again, and batches are known by their key', async (t) => {
  const store = await memory(t);
  const early = { userId: 'u1', name: 'search', ts: '2027-01-01T00:00:00Z' };
  assert.equal((await store.ingest([early])).quarantined, 1);
  const { events, total } = await store.quarantine();
  assert.deepEqual([total, events[0]?.event.userId], [1, 'u1']);
  assert.equal((await store.replayQuarantine([events[0]?.id ?? ''])).refused, 1);
  assert.deepEqual(await store.replayParked(), { accepted: 0, left: 0 });
  const batch = [{ userId: 'u2', name: 'search', ts: '2026-01-05T10:00:00Z' }];
  const how = { source: 'app', idempotencyKey: 'k' };
  const [one, other] = [await store.ingest(batch, how), await store.ingest(batch, how)];
  assert.deepEqual(other, one);
  assert.equal((await store.ingestStatus()).sources.app?.accepted, 1);
  assert.ok((await store.dataVersion()) > 0);
});

test('notifications are delivered by the program, and told how that went', async (t) => {
  const store = await memory(t);
  await store.createAlert({
    name: 'Quiet',
    source: { system: 'freshness' },
    condition: { type: 'threshold', above: 60 },
    channels: [
      { type: 'email', to: ['ana@example.com'] },
      { type: 'webhook', url: 'https://example.com/a' },
      { type: 'slack', url: 'https://example.com/b' },
    ],
  });
  await store.ingest([{ userId: 'u', name: 'search', ts: '2026-01-01T10:00:00Z' }]);
  assert.equal((await store.evaluateAlerts()).opened, 1);
  /** @type {string[]} */
  const titles = [];
  const report = await store.deliverNotifications(({ channel, title }) => {
    titles.push(title);
    if (channel.type === 'webhook') throw new Error('502');
    return channel.type === 'slack' ? { giveUp: 'no such channel' } : undefined;
  });
  assert.deepEqual(report, { delivered: 1, failed: 1, givenUp: 1 });
  assert.equal(titles.length, 3);
  const { deliveries } = await store.deliveries();
  const states = deliveries.map(({ channel, state, error }) => [channel.type, state, error]);
  assert.deepEqual(states.sort(), [
    ['email', 'sent', undefined],
    ['slack', 'dead', 'no such channel'],
    ['webhook', 'waiting', '502'],
  ]);
  const news = await store.alertNews({ since: new Date('2026-02-28') });
  assert.equal(news[0]?.event, 'firing');
  await assert.rejects(
    store.acting('v', 'viewer').deliverNotifications(() => {}),
    { code: 'forbidden' },
  );
});
