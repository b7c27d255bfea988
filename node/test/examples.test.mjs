// The examples as they run: Express and Fastify over HTTP, and the dashboard in a browser.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { chromium } from 'playwright-core';
import { open } from 'travelsense';

const folder = await mkdtemp(join(tmpdir(), 'travelsense-'));
after(() => rm(folder, { recursive: true }));
const api = '/api/analytics-dashboard';

/**
 * A store of recent events, an example that serves it, and where.
 * @param {import('node:test').TestContext} t
 * @param {string} name
 */
async function running(t, name) {
  const path = join(folder, `${name}.db`);
  const store = await open(path);
  const event = (/** @type {number} */ i) => ({
    userId: `u${i % 50}`,
    name: ['search', 'view_trip', 'start_booking', 'complete_booking'][i % 4] ?? '',
    ts: new Date(Date.now() - 3_600_000 * (i % 400) - 60_000),
  });
  await store.ingest(Array.from({ length: 2_000 }, (_, i) => event(i)));
  await store.close();
  const example = join(import.meta.dirname, '..', 'examples', `${name}.mjs`);
  const child = spawn(process.execPath, [example, path], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.after(async () => {
    child.kill();
    // It closes its store and leaves nothing that would keep it running.
    assert.equal(await ended, 0);
  });
  const url = await new Promise((resolve, reject) => {
    child.stdout.on('data', (text) => resolve(String(text).trim()));
    child.once('exit', (code) => reject(new Error(`${name} ended: ${code}`)));
  });
  return new URL(url);
}

/**
 * A response's body.
 * @param {Response} response
 * @returns {Promise<any>}
 */
const json = (response) => response.json();

/**
 * What every application has to let through.
 * @param {string} base
 * @param {Record<string, string>} login
 */
async function whole(base, login) {
  const ask = (/** @type {string} */ path, /** @type {RequestInit} */ init = {}) =>
    fetch(`${base}${path}`, { ...init, headers: { ...login, ...init.headers } });
  const body = JSON.stringify({ startDate: '2020-01-01', endDate: '2020-01-02' });
  const asked = await ask(`${api}/query/engagement`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  });
  assert.equal((await json(asked)).data.users, 0);
  const line = JSON.stringify([{ userId: 'new', name: 'search', ts: new Date() }]);
  const sent = await ask(`${api}/events`, {
    method: 'POST',
    body: line,
    headers: { 'content-type': 'application/json' },
  });
  assert.equal((await json(sent)).data.accepted, 1);
  const head = await ask('/health', { method: 'HEAD' });
  assert.deepEqual([head.status, head.headers.get('x-content-type-options')], [200, 'nosniff']);
  const abort = new AbortController();
  const stream = await ask(`${api}/realtime/stream?refreshInterval=5`, { signal: abort.signal });
  const first = await stream.body?.getReader().read();
  assert.match(Buffer.from(first?.value ?? []).toString(), /^data: ?\[/m);
  abort.abort();
  return ask;
}

test(
  'Express serves everything behind its own login, and the dashboard in a browser',
  { timeout: 180_000 },
  async (t) => {
    const url = await running(t, 'express');
    const { origin } = url;
    assert.equal((await fetch(`${url}${api}/session`)).status, 401);
    const form = new URLSearchParams({ id: 'vic', password: 'v' });
    const login = await fetch(`${origin}/login`, { method: 'POST', body: form, redirect: 'manual' });
    const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
    const ask = await whole(String(url), { cookie }).catch(async () => {
      // A viewer may not send events; an admin may.
      const body = new URLSearchParams({ id: 'ana', password: 'a' });
      const admin = await fetch(`${origin}/login`, { method: 'POST', body, redirect: 'manual' });
      return whole(String(url), { cookie: admin.headers.get('set-cookie')?.split(';')[0] ?? '' });
    });
    assert.equal((await fetch(`${url}${api}/audit`, { headers: { cookie } })).status, 403);
    const { data } = await json(await ask(`${api}/audit?action=query.word`));
    assert.deepEqual([data[0].who, data[0].origin], ['ana', '127.0.0.1']);
    await browse(url, t);
  },
);

test('Fastify serves everything behind its own login', { timeout: 180_000 }, async (t) => {
  const url = await running(t, 'fastify');
  const refused = await fetch(url);
  assert.deepEqual([refused.status, refused.headers.get('www-authenticate')], [401, 'Basic realm="travel"']);
  const login = { authorization: `Basic ${Buffer.from('ana:a').toString('base64')}` };
  await whole(String(url), login);
  const page = await fetch(url, { headers: { ...login, accept: 'text/html' } });
  assert.match(await page.text(), /\/analytics\/assets\/index\.js/);
});

/**
 * Logs a browser in, and has it look at pages.
 * @param {URL} url
 * @param {import('node:test').TestContext} t
 */
async function browse(url, t) {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  if (!existsSync(executablePath)) return t.diagnostic(`no browser: ${executablePath} is not there`);
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    /** @type {string[]} */
    const wrong = [];
    page.on('pageerror', (error) => wrong.push(error.message));
    page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
    page.on('request', (request) => {
      const { origin, pathname } = new URL(request.url());
      const mine = origin === url.origin && /^\/(analytics|login)(\/|$)/.test(pathname);
      if (!mine && request.url().startsWith('http')) wrong.push(`a request to ${request.url()}`);
    });
    await page.goto(String(url));
    assert.equal(new URL(page.url()).pathname, '/login');
    await page.fill('[name=id]', 'ana');
    await page.fill('[name=password]', 'a');
    await page.click('button');
    await page.waitForURL('**/analytics');
    await page.getByRole('link', { name: 'Funnels' }).first().click();
    await page.waitForURL('**/analytics/funnels*');
    await page.getByText('search').first().waitFor();
    // A link into the dashboard is the same page.
    await page.reload();
    await page.getByText('search').first().waitFor();
    assert.match(page.url(), /\/analytics\/funnels/);
    await page.goto(`${url}/dashboards`);
    await page.getByRole('heading', { name: 'Dashboards' }).first().waitFor();
    assert.equal(await page.getByRole('button', { name: 'Log out' }).count(), 0);
    assert.deepEqual(wrong, []);
  } finally {
    await browser.close();
  }
}
