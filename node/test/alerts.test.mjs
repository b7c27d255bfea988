// Alerts and notifications: the core's rules, met from Node.js.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
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

test('what came is held against what was foretold, and against what was before', async () => {
  const now = '2026-03-01T09:00:00Z';
  const store = await open(':memory:', { now });
  const days = Array.from({ length: 40 }, (_, day) => day + 1);
  const events = days.flatMap((back) => {
    const ts = new Date(Date.parse(now) - back * 86_400_000);
    const users = back === 1 ? 30 : 3 + (back % 4);
    return Array.from({ length: users }, (_, n) => ({ userId: `u${back}-${n}`, name: 'complete_booking', ts }));
  });
  await store.ingest(events);
  const file = new URL('../../tests/data/alerts/foretold.json', import.meta.url);
  /** @type {{ rule: import('travelsense').NewAlert; before: number | null }[]} */
  const cases = JSON.parse(await readFile(file, 'utf8'));
  for (const { rule, before } of cases) {
    const { verdict, reading } = await store.testAlert((await store.createAlert(rule))._id);
    assert.equal(verdict, 'breach', rule.name);
    assert.equal(reading.value, 30);
    assert.equal(reading.before ?? null, before);
    assert.equal('high' in reading, before === null);
  }
  await store.close();
});

test('the age of one source is a rule of its own', async () => {
  const store = await open(':memory:', { now: '2026-03-01T00:00:00Z' });
  await store.ingest([{ userId: 'u', name: 'search', ts: '2026-01-01T10:00:00Z' }]);
  await store.ingest([{ userId: 'u', name: 'search', ts: '2026-03-01T00:00:00Z' }], { source: 'app' });
  const verdict = async (/** @type {import('travelsense').AlertSource} */ source) =>
    (await store.testAlert((await store.createAlert({ ...rule, source }))._id)).verdict;
  assert.equal(await verdict({ system: 'freshness', source: 'app' }), 'clear');
  assert.equal(await verdict({ system: 'freshness', source: 'embedded' }), 'breach');
  const wrong = /** @type {any} */ ({ system: 'failures', source: 'app' });
  await assert.rejects(verdict(wrong), (/** @type {import('travelsense').TravelsenseError} */ error) => {
    assert.deepEqual(error.errors?.[0]?.field, 'source.source');
    return true;
  });
  await store.close();
});
