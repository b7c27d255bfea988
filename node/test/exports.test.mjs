import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { open } from 'travelsense';

const folder = await mkdtemp(join(tmpdir(), 'travelsense-'));
after(() => rm(folder, { recursive: true }));
const store = await open(':memory:', { now: '2026-01-31T12:00:00Z' });
after(() => store.close());
await store.ingest([
  { userId: 'u1', name: 'search', ts: '2026-01-05T10:00:00Z' },
  { userId: 'u1', name: 'book', ts: '2026-01-06T10:00:00Z' },
]);
const dateRange = { startDate: '2026-01-01', endDate: '2026-01-31' };

for (const format of /** @type {const} */ (['csv', 'json', 'xlsx', 'pdf'])) {
  test(`a report becomes a file: ${format}`, async () => {
    let job = await store.export({ exportType: 'report', format, dateRange });
    for await (const later of store.watchExport(job._id)) job = later;
    assert.equal(job.status, 'completed');
    const path = join(folder, `report.${format}`);
    assert.equal(await store.saveExport(job._id, path), job.fileSize);
    assert.equal((await readFile(path)).length, job.fileSize);
    assert.deepEqual(await store.exportJob(job._id), job);
  });
}

test('exports are listed, and one that is over cannot be cancelled', async () => {
  const job = await store.export({ exportType: 'dataset', format: 'csv', dateRange });
  assert.equal(job.rows, 2);
  const { exports } = await store.exports({ status: 'completed', limit: 100 });
  assert.ok(exports.some((e) => e._id === job._id));
  await assert.rejects(store.cancelExport(job._id), { code: 'export_over' });
});

test("an export is its creator's, and of those who manage access", async () => {
  const [ana, bob, boss] = [
    store.acting('ana', 'analyst'),
    store.acting('bob', 'analyst'),
    store.acting('boss', 'admin'),
  ];
  let job = await ana.export({ exportType: 'report', format: 'csv', dateRange });
  for await (const later of ana.watchExport(job._id)) job = later;
  for (const other of [bob, store.acting('nobody', 'nobody')]) {
    await assert.rejects(other.exportJob(job._id), { kind: 'forbidden' });
    await assert.rejects(other.cancelExport(job._id), { kind: 'forbidden' });
    await assert.rejects(other.saveExport(job._id, join(folder, 'x.csv')), { kind: 'forbidden' });
  }
  assert.deepEqual((await bob.exports({})).exports, []);
  assert.equal(await boss.saveExport(job._id, join(folder, 'a.csv')), job.fileSize);
  /** @type {import('travelsense').Widget} */
  const widget = { type: 'metric', title: 'Users', dataSource: 'user_events', visualization: 'number', config: {} };
  const { _id: dashboardId } = await ana.createDashboard({ name: 'Private', widgets: [widget] });
  const asked = { exportType: /** @type {const} */ ('dashboard'), format: /** @type {const} */ ('csv'), dateRange };
  await assert.rejects(bob.export({ ...asked, dashboardId }), { kind: 'forbidden' });
  await assert.rejects(bob.export({ ...asked, dashboardId: '507f1f77bcf86cd799439011' }), {
    code: 'validation_failed',
  });
});

test('a disc is of the whole range, in its data and in its export', async () => {
  /** @type {import('travelsense').Widget} */
  const pie = {
    type: 'chart',
    title: 'Kinds',
    dataSource: 'user_events',
    visualization: 'pie',
    config: { groupBy: 'name', mine: 1 },
  };
  const { _id: dashboardId } = await store.createDashboard({ name: 'Round', widgets: [pie] });
  const [one] = await store.dashboardData(dashboardId, dateRange);
  const data = /** @type {any} */ (one?.data);
  assert.deepEqual([data.buckets.length, data.series.length], [1, 2]);
  let job = await store.export({ exportType: 'dashboard', format: 'json', dashboardId, dateRange });
  for await (const later of store.watchExport(job._id)) job = later;
  const path = join(folder, 'round.json');
  await store.saveExport(job._id, path);
  const { sections } = JSON.parse(await readFile(path, 'utf8'));
  for (const { group, values } of data.series) assert.deepEqual([sections[0].rows[0][group]], values);
});

test('an answer is drawn as SVG', async () => {
  const svg = await store.chart('funnel', {
    steps: ['search', 'book'],
    startDate: '2026-01-01',
    endDate: '2026-01-31',
  });
  assert.match(svg, /^<svg .*<title>From search to book<\/title>/);
  // @ts-expect-error no word of that name has a chart
  await assert.rejects(store.chart('people', {}), { code: 'validation_failed' });
});
