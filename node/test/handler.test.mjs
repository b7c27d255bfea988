// The HTTP routes in this process: what they check and answer, and how they end.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createHandler, open } from 'travelsense';

/** @typedef {import('travelsense').Analytics} Analytics */
/** @typedef {import('travelsense').HandlerOptions} Options */

const api = '/api/analytics-dashboard';
const now = '2026-03-01T00:00:00Z';
const range = { startDate: '2026-01-01', endDate: '2026-01-31' };
const question = { steps: ['search', 'book'], ...range };
const events = [
  { userId: 'u1', name: 'search', ts: '2026-01-05T10:00:00Z' },
  { userId: 'u1', name: 'book', ts: '2026-01-06T10:00:00Z' },
  { userId: 'u2', name: 'search', ts: '2026-01-05T11:00:00Z' },
];

/**
 * A store, and a handler over it that believes a header: `x-who: id role`.
 * @param {import('node:test').TestContext} t
 * @param {Partial<Options>} [options]
 */
async function served(t, options = {}) {
  const analytics = await open(':memory:', { now });
  t.after(() => analytics.close());
  await analytics.ingest(events);
  const handler = createHandler({
    analytics,
    getPrincipal: ({ headers }) => {
      const [id, role] = (headers.get('x-who') ?? '').split(' ');
      return id && role ? { id, role, address: '10.1.2.3' } : null;
    },
    ...options,
  });
  /**
   * @param {string} path
   * @param {RequestInit & { who?: string | null, json?: unknown }} [init]
   */
  const ask = (path, { who = 'ana admin', json, ...init } = {}) => {
    const headers = new Headers(init.headers);
    if (who) headers.set('x-who', who);
    const body = json === undefined ? init.body : JSON.stringify(json);
    return handler(new Request(`http://app.test${path}`, { ...init, headers, ...(body == null ? {} : { body }) }));
  };
  return { analytics, handler, ask };
}

/**
 * A response's body.
 * @param {Response} response
 * @returns {Promise<any>}
 */
const json = (response) => response.json();

/** @param {Response} response */
const code = async (response) => [response.status, (await json(response)).code];

test('every question is answered as over the store itself', async (t) => {
  const { analytics, ask } = await served(t);
  const asked = await ask(`${api}/query/funnel`, { method: 'POST', json: question });
  assert.equal(asked.status, 200);
  assert.equal(asked.headers.get('content-type'), 'application/json');
  assert.ok((await asked.text()).includes((await analytics.funnel(question)).toJSONText()));
  const head = await ask(`${api}/realtime?metrics=active_users`, { method: 'HEAD' });
  assert.deepEqual([head.status, await head.text()], [200, '']);
  const [one] = (await json(await ask(`${api}/realtime?metrics=active_users`))).data;
  assert.equal(one.metricName, 'active_users');
  assert.equal((await ask('/health')).status, 200);
  assert.equal((await ask('/ready')).status, 200);
  assert.match(await (await ask('/metrics')).text(), /travelsense_requests_total/);
  const session = (await json(await ask(`${api}/session`))).data;
  assert.deepEqual([session.userId, session.role, session.login], ['ana', 'admin', 'host']);
});

test('all that is wrong is told as over HTTP, and stands in the record', async (t) => {
  const { analytics, ask } = await served(t);
  const path = `${api}/query/funnel`;
  const unknown = await ask(path, { who: null, method: 'POST', json: question });
  assert.deepEqual(await code(unknown), [401, 'not_logged_in']);
  assert.deepEqual(await code(await ask(path, { who: 'x nobody', method: 'POST', json: question })), [
    403,
    'forbidden',
  ]);
  const wrong = await ask(path, { method: 'POST', json: { ...question, window: 'long', x: 1 } });
  const problem = await json(wrong);
  assert.equal(wrong.headers.get('content-type'), 'application/problem+json');
  assert.equal(wrong.headers.get('x-request-id'), problem.requestId);
  assert.deepEqual(problem.errors.map((/** @type {{ field: string }} */ e) => e.field).sort(), ['window', 'x']);
  assert.deepEqual(await code(await ask(path, { method: 'POST', body: '{' })), [400, 'validation_failed']);
  assert.deepEqual(await code(await ask(path)), [405, 'method_not_allowed']);
  assert.deepEqual(await code(await ask(`${api}/nothing`)), [404, 'not_found']);
  const token = await ask(`${api}/session`, { method: 'POST', json: { token: 'x' } });
  assert.deepEqual(await code(token), [401, 'not_logged_in']);
  const { entries } = await analytics.audit({ action: 'query.word', outcome: 'refused' });
  assert.deepEqual([entries[0]?.who, entries[0]?.origin], ['x', '10.1.2.3']);
});

test('what another site makes a browser send changes nothing', async (t) => {
  const { ask } = await served(t);
  const cohort = { method: 'PUT', json: { users: ['u1'] } };
  const from = (/** @type {Record<string, string>} */ headers) => ask(`${api}/cohorts/c`, { ...cohort, headers });
  assert.deepEqual(await code(await from({ 'sec-fetch-site': 'cross-site' })), [403, 'cross_site']);
  assert.deepEqual(await code(await from({ origin: 'https://evil.test' })), [403, 'cross_site']);
  assert.equal((await from({ 'sec-fetch-site': 'same-origin', origin: 'http://app.test' })).status, 200);
  assert.equal((await ask(`${api}/cohorts`, { headers: { 'sec-fetch-site': 'cross-site' } })).status, 200);
});

test('events pass through packed and plain, and too large bodies are refused', async (t) => {
  const { analytics, ask } = await served(t);
  const line = JSON.stringify({ userId: 'u3', name: 'search', ts: '2026-01-07T10:00:00Z' });
  const packed = await ask(`${api}/events?source=app`, {
    method: 'POST',
    body: gzipSync(`${line}\n${line}\n`),
    headers: { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip', 'idempotency-key': 'k1' },
  });
  assert.equal((await json(packed)).data.sent, 2);
  assert.equal((await analytics.ingestStatus()).sources.app?.accepted, 2);
  const large = await ask(`${api}/events`, { method: 'POST', body: new Uint8Array(8 * 1024 * 1024 + 1) });
  assert.deepEqual(await code(large), [413, 'body_too_large']);
  const long = await ask(`${api}/query/funnel`, { method: 'POST', body: ' '.repeat(65_537) });
  assert.deepEqual(await code(long), [413, 'body_too_large']);
  let sent = 0;
  const endless = new ReadableStream({
    pull: (controller) => {
      sent += 1;
      controller.enqueue(new Uint8Array(1 << 20));
    },
  });
  const body = { method: 'POST', body: endless, duplex: /** @type {const} */ ('half') };
  assert.equal((await ask(`${api}/events`, body)).status, 413);
  assert.ok(sent < 12, `${sent} MiB were read of a body without an end`);
});

test('what getPrincipal gives in the place of somebody is the answer', async (t) => {
  const { handler } = await served(t, { getPrincipal: () => Response.redirect('http://app.test/login', 302) });
  const response = await handler(new Request('http://app.test/'));
  assert.deepEqual([response.status, response.headers.get('location')], [302, 'http://app.test/login']);
  const failing = await served(t, { getPrincipal: () => Promise.reject(new Error('no session store')) });
  await assert.rejects(failing.handler(new Request('http://app.test/')), /no session store/);
});

test('each principal may send so many requests and no more', async (t) => {
  const { ask } = await served(t, { requestsPerSecond: 1 });
  const all = await Promise.all(Array.from({ length: 4 }, () => ask(`${api}/session`)));
  assert.deepEqual(all.map(({ status }) => status).sort(), [200, 200, 429, 429]);
  assert.equal((await ask(`${api}/session`, { who: 'bob viewer' })).status, 200);
});

test('options that cannot be met are refused all at once', async (t) => {
  const { analytics } = await served(t);
  const wrong = { basePath: 'x y', questions: 0, timeoutMs: -1, maxBody: 1e12, requestsPerSecond: 0.5, cacheBytes: -1 };
  assert.throws(
    () => createHandler({ analytics, getPrincipal: () => null, ...wrong }),
    (/** @type {import('travelsense').TravelsenseError} */ { code, errors }) => {
      assert.equal(code, 'validation_failed');
      assert.deepEqual(errors.map(({ field }) => field).sort(), Object.keys(wrong).sort());
      return true;
    },
  );
});

test('below a path of the application every address has that path in front', async (t) => {
  const { ask } = await served(t, { basePath: '/admin/analytics/' });
  for (const path of ['/admin/analytics', '/admin/analytics/', '/admin/analytics/funnels', '/funnels']) {
    const page = await ask(path, { headers: { accept: 'text/html' } });
    const text = await page.text();
    assert.equal(page.status, 200, path);
    assert.match(text, /src="\/admin\/analytics\/assets\/index\.js"/, path);
  }
  for (const path of ['/admin/analytics/assets/index.js', '/assets/index.js']) {
    const script = await ask(path, { headers: { 'accept-encoding': 'gzip' } });
    assert.deepEqual([script.status, script.headers.get('content-encoding')], [200, 'gzip']);
    const again = await ask(path, { headers: { 'if-none-match': script.headers.get('etag') ?? '' } });
    assert.deepEqual([again.status, await again.text()], [304, '']);
  }
  const widget = { type: 'metric', title: 'Users', dataSource: 'user_events', visualization: 'number', config: {} };
  const made = await ask(`/admin/analytics${api}/custom`, {
    method: 'POST',
    json: { name: 'Mine', widgets: [widget] },
  });
  const place = made.headers.get('location') ?? '';
  assert.ok(place.startsWith(`/admin/analytics${api}/custom/`), place);
  const found = await ask(place);
  assert.deepEqual([found.status, (await json(found)).data.name], [200, 'Mine']);
  assert.equal((await json(await ask('/admin/analytics/openapi.json'))).servers[0].url, '/admin/analytics');
});

test('an export is asked for, found and fetched as a stream', async (t) => {
  const { analytics, ask } = await served(t, { basePath: '/a' });
  const request = { exportType: 'dataset', format: 'csv', dateRange: range };
  const asked = (await json(await ask(`/a${api}/export`, { method: 'POST', json: request }))).data;
  // A small one is done when it is answered, unless the machine is busy.
  for await (const later of analytics.watchExport(asked._id)) assert.notEqual(later.status, 'failed');
  const job = (await json(await ask(place(asked)))).data;
  assert.equal(job.status, 'completed');
  assert.equal(job.fileUrl, `/a${api}/export/${job._id}/file`);
  const file = await ask(job.fileUrl);
  assert.match(file.headers.get('content-disposition') ?? '', /^attachment; filename=".*\.csv"$/);
  const folder = await mkdtemp(join(tmpdir(), 'travelsense-'));
  t.after(() => rm(folder, { recursive: true }));
  await analytics.saveExport(job._id, join(folder, 'x.csv'));
  assert.deepEqual(Buffer.from(await file.arrayBuffer()), await readFile(join(folder, 'x.csv')));
  const removed = await ask(`${place(job)}`, { method: 'DELETE' });
  assert.equal(removed.status, 409);
});

/** @param {{ _id: string }} job */
const place = (job) => `/a${api}/export/${job._id}`;

test('the figures of the moment come as server-sent events until somebody leaves', async (t) => {
  const { ask } = await served(t);
  const abort = new AbortController();
  const response = await ask(`${api}/realtime/stream?refreshInterval=5`, { signal: abort.signal });
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = (await reader?.read()) ?? {};
  assert.match(value ?? '', /^id: ?\d+\n/m);
  const [, data] = /^data: ?(.*)$/m.exec(value ?? '') ?? [];
  assert.equal(JSON.parse(data ?? '').length, 6);
  const next = reader?.read();
  abort.abort();
  const ended = await next?.catch(() => ({ done: true }));
  assert.equal(ended?.done, true);
});

test('a store that is closed ends its streams, and its handler', async (t) => {
  const { analytics, ask } = await served(t);
  const stream = await ask(`${api}/realtime/stream?refreshInterval=5`);
  const reader = stream.body?.getReader();
  await reader?.read();
  const [next] = await Promise.all([reader?.read(), analytics.close()]);
  assert.equal(next?.done, true);
  await assert.rejects(ask('/health'), { code: 'closed' });
  assert.throws(() => createHandler({ analytics, getPrincipal: () => null }), { code: 'closed' });
});

test('a file is free once its store and handler are closed', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'travelsense-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'a.db');
  for (const n of [1, 2]) {
    const analytics = await open(path, { now });
    const handler = createHandler({ analytics, getPrincipal: () => ({ id: 'ana', role: 'admin' }) });
    await analytics.ingest([{ userId: `u${n}`, name: 'search', ts: '2026-01-05T10:00:00Z' }]);
    const response = await handler(
      new Request(`http://app.test${api}/query/engagement`, { method: 'POST', body: JSON.stringify(range) }),
    );
    assert.equal((await json(response)).data.users, n);
    // A stream that nobody reads to its end holds nothing.
    await handler(new Request(`http://app.test${api}/realtime/stream`));
    await analytics.close();
  }
});
