import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { open } from 'travelsense';

const folder = await mkdtemp(join(tmpdir(), 'travelsense-'));
after(() => rm(folder, { recursive: true }));

// 300,000 events of 9,999 users, a second apart.
const path = join(folder, 'events.ndjson');
const line = (/** @type {number} */ i) => {
  const ts = new Date(Date.UTC(2026, 0, 1) + 1000 * i).toISOString();
  return `{"userId":"u${(i * 7919) % 9_999}","name":"${'abcd'[i % 4]}","ts":"${ts}"}\n`;
};
await writeFile(path, Array.from({ length: 300_000 }, (_, i) => line(i)).join(''));
const store = await open(':memory:', { now: '2026-03-01T00:00:00Z' });
after(() => store.close());
const question = { steps: ['a', 'b', 'c'], startDate: '2026-01-01', endDate: '2026-01-31' };

/**
 * How often the event loop turns while a call runs; hardly at all where it does its work on the main thread.
 * @param {() => Promise<unknown>} call
 */
async function turns(call) {
  let turned = 0;
  const turn = () => {
    turned += 1;
    turning = setImmediate(turn);
  };
  let turning = setImmediate(turn);
  await call();
  clearImmediate(turning);
  return turned;
}

test('the event loop goes on while events are imported, timelines are built and a question is answered', async (t) => {
  const table = {
    import: () => store.import(path),
    rebuild: () => store.rebuild(),
    funnel: () => store.funnel(question),
  };
  for (const [name, call] of Object.entries(table)) {
    const turned = await turns(call);
    t.diagnostic(`${name}: ${turned} turns`);
    assert.ok(turned > 20, `${name}: ${turned} turns`);
  }
});

test('many questions at once give what one at a time gives', async () => {
  const one = await store.funnel(question);
  assert.ok(one.converted > 0);
  const many = await Promise.all(Array.from({ length: 32 }, () => store.funnel(question)));
  for (const answer of many) assert.equal(answer.toJSONText(), one.toJSONText());
});

test('questions are answered while events arrive', async () => {
  const events = Array.from({ length: 500 }, (_, i) => ({ userId: `new${i}`, name: 'a', ts: '2026-01-15T00:00:00Z' }));
  const before = (await store.funnel(question)).entered;
  const batches = [events.slice(0, 250), events.slice(250)];
  const [asked] = await Promise.all([store.funnel(question), ...batches.map((batch) => store.ingest(batch))]);
  assert.ok([before, before + 250, before + 500].includes(asked.entered), String(asked.entered));
  assert.equal((await store.funnel(question)).entered, before + 500);
});
