// Alerts and notifications: the core's rules, met from Node.js.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open } from 'travelsense';

/** @type {import('travelsense').NewAlert} */
const rule = {
  name: 'Quiet',
  source: { system: 'freshness' },
  condition: { type: 'threshold', above: 60 },
  channels: [
    { type: 'in_app', roles: ['admin'] },
    { type: 'webhook', url: 'https://example.com/hook' },
  ],
};

test('an incident is told once, and a rule is changed, silenced, tested and removed', async () => {
  const store = await open(':memory:', { now: '2026-03-01T00:00:00Z' });
  await store.ingest([{ userId: 'u', name: 'search', ts: '2026-01-01T10:00:00Z' }]);
  const made = await store.createAlert(rule);
  const done = await store.evaluateAlerts();
  assert.equal(done.opened, 1);
  assert.equal((await store.evaluateAlerts()).opened, 0);
  assert.equal((await store.alert(made._id)).phase, 'firing');
  const told = (await store.alertHistory(made._id)).filter((e) => e.event === 'notified');
  assert.equal(told.length, 1);
  const { notifications, unread } = await store.notifications({ unread: true });
  assert.equal(unread, 1);
  await store.readNotification(notifications[0]?._id ?? '');
  assert.equal((await store.notifications({ unread: true })).total, 0);
  const { deliveries } = await store.deliveries({ state: 'waiting' });
  assert.deepEqual(
    deliveries.map((d) => d.channel),
    [rule.channels?.[1]],
  );
  await assert.rejects(store.retryDelivery(deliveries[0]?._id ?? ''), { code: 'not_dead' });
  assert.equal((await store.updateAlert(made._id, { severity: 'info' }, 1)).revision, 2);
  await assert.rejects(store.updateAlert(made._id, { severity: 'info' }, 1), { code: 'revision_changed' });
  assert.notEqual((await store.silenceAlert(made._id, { for: '1h' })).silencedUntil, null);
  assert.equal((await store.testAlert(made._id)).verdict, 'breach');
  assert.equal((await store.alerts({ search: 'qui' })).total, 1);
  await store.deleteAlert(made._id);
  await assert.rejects(store.alert(made._id), { code: 'not_found' });
  await assert.rejects(store.acting('vic', 'viewer').createAlert(rule), { code: 'forbidden' });
  await store.close();
});
