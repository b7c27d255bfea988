// An Express application with a login of its own, and with the analytics API and the dashboard below /analytics.
//
//   node examples/express.mjs travel.db    (log in as ana with the password a, or as vic, who may only look, with v)

import { randomUUID } from 'node:crypto';
import { createRequestListener } from '@remix-run/node-fetch-server';
import express from 'express';
import { createHandler, open } from 'travelsense';

/** @typedef {{ id: string, password: string, role: 'admin' | 'analyst' | 'viewer' }} User */

/** @type {User[]} What stands here for the users of the application. */
const users = [
  { id: 'ana', password: 'a', role: 'admin' },
  { id: 'vic', password: 'v', role: 'viewer' },
];

/** @type {Map<string, User>} */
const sessions = new Map();

/** @param {express.Request} request */
const userOf = (request) => sessions.get(/\bsid=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '');

const analytics = await open(process.argv[2] ?? ':memory:');

/** @type {import('travelsense').Handler<express.Request>} */
const handler = createHandler({
  analytics,
  basePath: '/analytics',
  getPrincipal: (request, /** @type {express.Request} */ from) => {
    const user = userOf(from);
    if (user) return { id: user.id, role: user.role, address: from.ip ?? null };
    const isPage = request.headers.get('accept')?.includes('text/html');
    return isPage ? Response.redirect(new URL('/login', request.url), 302) : null;
  },
});

const app = express();
app.get('/', (_, response) => response.redirect('/analytics'));
app.get('/login', (_, response) => {
  const fields = '<input name="id" placeholder="Name"><input name="password" type="password" placeholder="Password">';
  response.send(
    `<!doctype html><title>Log in</title><link rel="icon" href="data:,"><form method="post">${fields}<button>Log in</button></form>`,
  );
});
app.post('/login', express.urlencoded(), (request, response) => {
  const user = users.find(({ id, password }) => id === request.body?.id && password === request.body?.password);
  if (!user) return response.status(401).send('These are not known here.');
  const session = randomUUID();
  sessions.set(session, user);
  response.cookie('sid', session, { httpOnly: true, sameSite: 'lax' }).redirect('/analytics');
});

// In front of anything that reads bodies for all routes, such as `express.json()`.
app.use('/analytics', (request, response) =>
  createRequestListener((asked) => handler(asked, request))(request, response),
);

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  const address = server.address();
  if (address && typeof address === 'object') console.log(`http://127.0.0.1:${address.port}/analytics`);
});
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  void analytics.close();
});
