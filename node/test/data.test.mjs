// Real events from beside the clone, counted once more in plain JavaScript.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { open } from 'travelsense';

const data = join(import.meta.dirname, '..', '..', '..', 'shared', 'data');
const options = { skip: existsSync(data) ? false : `the real data is not here: ${data}` };
const now = '2026-03-01T00:00:00Z';

test('CDNOW cohorts are those of a count by hand', options, async () => {
  const path = join(data, 'customers_cdnow_transactions.csv');
  const store = await open(':memory:', { now });
  const report = await store.import(path, { user: 'customer_id', time: 'date', event: 'purchase' });
  assert.deepEqual([report.sent, report.accepted, report.refused], [69_659, 69_659, 0]);
  const range = { startDate: '1997-01-01', endDate: '1997-03-31' };
  const { cohorts } = await store.retention({ cohortPeriod: 'monthly', ...range, periods: 17 });
  await store.close();

  /** @type {Map<string, Set<number>>} The months with a purchase of each customer. */
  const months = new Map();
  const [header, ...rows] = (await readFile(path, 'utf8')).trim().split(/\r?\n/);
  const columns = (header ?? '').replaceAll('"', '').split(',');
  const [who, when] = [columns.indexOf('customer_id'), columns.indexOf('date')];
  for (const row of rows) {
    const cells = row.replaceAll('"', '').split(',');
    const [year, month] = String(cells[when]).split('-').map(Number);
    const customer = String(cells[who]);
    const of = months.get(customer) ?? new Set();
    months.set(customer, of.add(12 * Number(year) + Number(month) - 1));
  }
  const all = [...months.values()];
  for (const [i, cohort] of cohorts.entries()) {
    const start = 12 * 1997 + i;
    const members = all.filter((of) => Math.min(...of) === start);
    const back = (/** @type {number} */ n) => members.filter((of) => of.has(start + n)).length;
    assert.equal(cohort.size, members.length);
    assert.deepEqual(
      cohort.retention.map(({ count }) => count),
      cohort.retention.map(({ period }) => back(period)),
    );
  }
  assert.equal(cohorts.length, 3);
});

test('fines are sent and paid as often as they are in the other languages', options, async () => {
  const store = await open(':memory:', { now });
  const mapping = { user: 'case', time: 'ts', name: 'activity' };
  assert.equal((await store.import(join(data, 'traffic_fines.parquet'), mapping)).accepted, 34_724);
  const range = { startDate: '2000-01-01', endDate: '2020-01-01' };
  const steps = ['Create Fine', 'Send Fine', 'Payment'];
  const counts = async (/** @type {string} */ window) =>
    (await store.funnel({ steps, window, ...range })).steps.map(({ count }) => count);
  assert.deepEqual(await counts('365d'), [10_000, 6_566, 644]);
  await store.close();
});
