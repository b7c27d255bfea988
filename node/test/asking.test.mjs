import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { open, TravelsenseError } from 'travelsense';

const folder = await mkdtemp(join(tmpdir(), 'travelsense-'));
after(() => rm(folder, { recursive: true }));

const path = join(folder, 'events.ndjson');
const line = (/** @type {number} */ i) => {
  const ts = new Date(Date.UTC(2026, 0, 1) + 20_000 * i).toISOString();
  return `{"userId":"u${(i * 7919) % 999}","name":"${'abc'[i % 3]}","ts":"${ts}"}\n`;
};
await writeFile(path, Array.from({ length: 100_000 }, (_, i) => line(i)).join(''));
const store = await open(':memory:', { now: '2026-03-01T00:00:00Z', threads: 1 });
after(() => store.close());
await store.import(path);

const range = { startDate: '2026-01-01', endDate: '2026-01-31' };
const steps = ['a', 'b'];

/** @typedef {import('travelsense').Asking} Asking */
/** @type {{ [name: string]: (how: Asking) => Promise<unknown> }} */
const questions = {
  funnel: (how) => store.funnel({ steps, ...range }, how),
  dropOff: (how) => store.dropOff({ steps, ...range }, how),
  compare: (how) => store.compare({ steps, ...range, between: ['new', 'returning'] }, how),
  explainDifference: (how) =>
    store.explainDifference({ question: { steps, ...range }, presets: ['exact', 'mixpanel'] }, how),
  retention: (how) => store.retention({ cohortPeriod: 'daily', ...range }, how),
  engagement: (how) => store.engagement(range, how),
  adoption: (how) => store.adoption({ features: ['a'], ...range }, how),
  journey: (how) => store.journey(range, how),
  realtime: (how) => store.realtime({}, how),
  userInsights: (how) => store.userInsights(range, how),
  query: (how) => store.query('funnel', { steps, ...range }, how),
  people: (how) => store.people({ word: 'funnel', question: { steps, ...range }, cell: { cell: 'entered' } }, how),
};

/** Answers that take long: every attempt, at many equal steps with a limit between them. */
const slow = (/** @type {number} */ n) => ({
  steps: Array.from({ length: n }, (_, i) => (i === 0 ? null : { event: null, maxGap: '27d' })),
  window: '28d',
  unit: /** @type {const} */ ('totals'),
  ...range,
});

test('every question may have a time limit and a signal', async () => {
  for (const [name, ask] of Object.entries(questions)) {
    assert.ok(await ask({ timeoutMs: 600_000, signal: new AbortController().signal }), name);
    const reason = new Error('not needed any more');
    await assert.rejects(ask({ signal: AbortSignal.abort(reason) }), reason, name);
    const wrong = (/** @type {unknown} */ error) => {
      assert.ok(error instanceof TravelsenseError, name);
      assert.deepEqual(
        error.errors.map(({ field, code }) => [field, code]),
        [['timeoutMs', 'out_of_range']],
        name,
      );
      return true;
    };
    await assert.rejects(ask({ timeoutMs: 0 }), wrong);
  }
  // @ts-expect-error what there is not is refused by its name
  await assert.rejects(store.funnel({ steps, ...range }, { patience: 1 }), { code: 'validation_failed' });
});

test('a question is given up when its time is over or its signal says so', async () => {
  await assert.rejects(store.query('funnel', slow(14), { timeoutMs: 5 }), { code: 'timed_out' });
  const reason = new Error('the page was closed');
  const abort = new AbortController();
  setTimeout(() => abort.abort(reason), 20);
  await assert.rejects(store.query('funnel', slow(14), { signal: abort.signal }), reason);
});

test('a question of over a second says how far it is', async () => {
  /** @type {number[]} */
  const heard = [];
  for (let n = 2; heard.length === 0 && n <= 64; n += 2) {
    await store.query('funnel', slow(n), { onProgress: (share) => heard.push(share) });
  }
  assert.ok(heard.length > 0 && heard.every((share) => share > 0 && share <= 1), String(heard));
});

test('an exception of what hears the progress gives the question up', async () => {
  const thrown = new Error('enough');
  const onProgress = () => {
    throw thrown;
  };
  const all = async () => {
    for (let n = 2; n <= 64; n += 2) await store.query('funnel', slow(n), { onProgress });
  };
  await assert.rejects(all(), thrown);
});

test('work that is given up changes nothing', async () => {
  const reason = new Error('not now');
  const how = { signal: AbortSignal.abort(reason) };
  await assert.rejects(store.rebuild(how), reason);
  await assert.rejects(store.erase(['u1'], how), reason);
  await assert.rejects(store.verifyAudit(null, how), reason);
  await assert.rejects(store.rebuild({ timeoutMs: 0 }), { code: 'validation_failed' });
  await store.warmUp({ timeoutMs: 60_000 });
  await store.rebuild({ timeoutMs: 60_000, onProgress: () => {} });
  assert.equal((await store.verifyAudit(null, { timeoutMs: 60_000 })).broken, null);
});

test('a question that is given up is not waited for where it builds what all share', async () => {
  const other = await open(':memory:', { now: '2026-03-01T00:00:00Z', threads: 1 });
  await other.import(path);
  const abort = new AbortController();
  const reason = new Error('gone');
  const asked = other.funnel({ steps, ...range }, { signal: abort.signal });
  abort.abort(reason);
  await assert.rejects(asked, reason);
  assert.ok(await other.funnel({ steps, ...range }));
  await other.close();
});
