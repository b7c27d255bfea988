// What stands beside the questions, and what is foretold, is as the types say it is.

import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { open } from 'travelsense';
import { compiled } from './compiled.mjs';

const now = '2026-03-01T00:00:00Z';
const range = { startDate: '2026-01-01', endDate: '2026-02-28' };
const dateRange = range;

/** Two months of a few people, some of whom go, and one event that cannot be right. */
const events = [
  { userId: 'late', name: 'search', ts: '2027-01-01T00:00:00Z' },
  { userId: 'u0', name: '', ts: 'soon' },
  ...Array.from({ length: 900 }, (_, i) => ({
    userId: `u${i % 60}`,
    name: i % 3 ? 'search' : 'payment',
    ts: new Date(Date.UTC(2026, 0, 1) + 5_600_000 * i * (i % 60 < 20 ? 0.5 : 1)),
    properties: { amount: '12.30', currency: 'EUR', bookingId: `${i}`, serviceDate: '2026-02-20' },
  })),
];

/** @param {import('node:test').TestContext} t */
async function told(t) {
  const store = await open(':memory:', { now });
  t.after(() => store.close());
  await store.ingest(events, { source: 'app' });
  await store.createCohort('payers', { did: 'payment', atLeast: 2 });
  const alert = await store.createAlert({
    name: 'Quiet',
    source: { system: 'freshness' },
    condition: { type: 'threshold', above: 60 },
    channels: [
      { type: 'in_app', roles: ['admin'] },
      { type: 'email', to: ['ana@example.com'] },
    ],
  });
  const evaluated = await store.evaluateAlerts();
  const [template] = await store.dashboardTemplates();
  const dashboard = await store.createDashboardFrom(template?.key ?? '');
  await store.shareDashboard(dashboard._id, { users: [{ id: 'vic', access: 'view' }], roles: [] });
  const job = await store.export({
    exportType: 'report',
    format: 'csv',
    dateRange,
    notify: [{ type: 'in_app', users: ['vic'] }],
  });
  await store.exportJob(job._id);
  const steps = ['search', 'payment'];
  const question = { steps, ...range };
  /** @type {[type: string, value: { toJSONText(): string }][]} */
  const values = [
    ['IngestStatus', await store.ingestStatus()],
    ['Quarantine', await store.quarantine()],
    ['ParkedReport', await store.replayParked()],
    ['ExportJob', job],
    ['ExportList', await store.exports()],
    ['Catalogue', await store.catalogue()],
    ['Template[]', await store.dashboardTemplates()],
    ['Dashboard', dashboard],
    ['Dashboards', await store.dashboards()],
    ['Sharing', await store.dashboardSharing(dashboard._id)],
    ['WidgetData[]', await store.dashboardData(dashboard._id, range)],
    ['Alert', alert],
    ['Alerts', await store.alerts()],
    ['AlertEvent[]', await store.alertHistory(alert._id)],
    ['AlertNews[]', await store.alertNews({ since: '2026-02-01T00:00:00Z' })],
    ['Evaluated', evaluated],
    ['Notifications', await store.notifications()],
    ['Deliveries', await store.deliveries()],
    ['Audit', await store.audit()],
    ['Anchor', await store.auditAnchor()],
    ['Verification', await store.verifyAudit([await store.auditAnchor()])],
    ['People', await store.people({ word: 'funnel', question, cell: { cell: 'reached', step: 2 } })],
    ['Profile', await store.profile('u1')],
    ['AnomaliesAnswer', await store.anomalies({ metric: 'active_users', ...range })],
    ['PickupAnswer', await store.pickup({ booking: 'payment', ...range })],
    [
      'PredictiveAnswer',
      await store.predictive({ predictionType: 'revenue', startDate: '2026-01-01', endDate: '2026-02-27', horizon: 7 }),
    ],
    ['ChurnAnswer', await store.churn({ horizonDays: 7 })],
    ['ValueAnswer', await store.value({ horizonDays: 7 })],
    ['NextActionAnswer', await store.nextAction()],
    ['FunnelAnswer', await store.funnel({ ...question, sample: 0.5, breakdown: 'currency', trend: 'weekly' })],
    ['RetentionAnswer', await store.retention({ cohortPeriod: 'weekly', ...range, sample: { rate: 0.5, salt: 'a' } })],
    ['ErasureReport', await store.erase(['u1'])],
  ];
  return values;
}

test('every field of every one is in the types, and none is missing', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'travelsense-'));
  t.after(() => rm(folder, { recursive: true }));
  const values = await told(t);
  // An object literal may have no field that its type lacks, and must have all that are not optional.
  const source = values.map(([type, value], i) => `export const v${i}: T.${type} = ${value.toJSONText()};`);
  await writeFile(join(folder, 'values.ts'), `import type * as T from './dist/index.js';\n${source.join('\n')}\n`);
  await symlink(join(import.meta.dirname, '..', 'dist'), join(folder, 'dist'));
  assert.equal(await compiled(folder, 'values.ts'), '');
});
