import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open } from 'travelsense';

/** @type {import('travelsense').Widget} */
const widget = {
  type: 'metric',
  title: 'Users',
  dataSource: 'user_events',
  visualization: 'number',
  config: { x: 1 },
};

/** @param {import('node:test').TestContext} t */
const memory = async (t) => {
  const store = await open(':memory:', { now: '2026-03-01T00:00:00Z' });
  t.after(() => store.close());
  return store;
};

test('a dashboard is made, found, changed and removed', async (t) => {
  const store = await memory(t);
  const made = await store.createDashboard({ name: 'Mine', widgets: [widget], description: '50% off' });
  assert.equal(made._id.length, 24);
  assert.deepEqual([made.ownerId, made.isPublic, made.revision], ['owner', false, 1]);
  assert.deepEqual(made.widgets[0]?.config, widget.config);
  assert.equal((await store.dashboard(made._id)).name, 'Mine');
  assert.equal((await store.dashboards({ search: '0% O' })).total, 1);
  assert.equal((await store.dashboards({ search: '5_' })).total, 0);
  const changed = await store.updateDashboard(made._id, { name: 'Other' }, 1);
  assert.deepEqual([changed.name, changed.description, changed.revision], ['Other', '50% off', 2]);
  await assert.rejects(store.updateDashboard(made._id, { name: 'Late' }, 1), { code: 'revision_changed' });
  await store.deleteDashboard(made._id);
  await assert.rejects(store.dashboard(made._id), { kind: 'not_found' });
});

test('rights are those of the one who acts, and the record holds it all', async (t) => {
  const store = await memory(t);
  const analyst = store.acting('ana', 'analyst');
  const admin = store.acting('bob', 'admin');
  const viewer = store.acting('cy', 'viewer');
  const { _id } = await analyst.createDashboard({ name: 'Private', widgets: [widget] });
  await assert.rejects(viewer.createDashboard({ name: 'No', widgets: [widget] }), { kind: 'forbidden' });
  await assert.rejects(admin.dashboard(_id), { kind: 'forbidden' });
  await analyst.shareDashboard(_id, { users: [{ id: 'cy', access: 'view' }] });
  assert.equal((await viewer.dashboard(_id)).name, 'Private');
  await assert.rejects(viewer.updateDashboard(_id, { name: 'x' }), { kind: 'forbidden' });
  const { entries } = await store.audit({ outcome: 'refused' });
  assert.deepEqual(
    entries.map((e) => [e.who, e.action]),
    [
      ['cy', 'dashboard.update'],
      ['bob', 'dashboard.read'],
      ['cy', 'dashboard.create'],
    ],
  );
  assert.equal((await store.verifyAudit()).broken, null);
});

test('templates make dashboards that are answered', async (t) => {
  const store = await memory(t);
  for (const template of await store.dashboardTemplates()) {
    const { _id } = await store.createDashboardFrom(template.key);
    for (const one of await store.dashboardData(_id, { startDate: '2026-02-01', endDate: '2026-02-28' })) {
      assert.equal(one.error, undefined);
    }
  }
});

test('what is sent again with its key is made once', async (t) => {
  const store = await memory(t);
  const key = { idempotencyKey: 'k' };
  const mine = { name: 'Mine', widgets: [widget] };
  const [one, other] = [await store.createDashboard(mine, key), await store.createDashboard(mine, key)];
  assert.deepEqual([other._id, (await store.dashboards()).total], [one._id, 1]);
  const dateRange = { startDate: '2026-02-01', endDate: '2026-02-28' };
  const report = /** @type {const} */ ({ exportType: 'report', format: 'csv', dateRange });
  assert.equal((await store.export(report, key))._id, (await store.export(report, key))._id);
  await assert.rejects(store.export({ ...report, format: 'json' }, key), { code: 'idempotency_key_reused' });
});

test('the record is checked against anchors that were kept', async (t) => {
  const store = await memory(t);
  await store.createDashboard({ name: 'Mine', widgets: [widget] });
  const anchor = await store.auditAnchor();
  await store.createDashboard({ name: 'Yours', widgets: [widget] });
  assert.equal((await store.verifyAudit([anchor])).anchors, 1);
  assert.equal((await store.verifyAudit([{ ...anchor, hash: '0'.repeat(64) }])).broken?.seq, anchor.seq);
});
