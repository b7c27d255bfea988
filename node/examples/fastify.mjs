// A Fastify application behind HTTP's own login, with the analytics API and the dashboard below /analytics.
//
//   node examples/fastify.mjs travel.db    (log in as ana with the password a, or as vic, who may only look, with v)

import { createRequestListener } from '@remix-run/node-fetch-server';
import fastify from 'fastify';
import { createHandler, open } from 'travelsense';

/** @type {{ [name: string]: { password: string, role: 'admin' | 'viewer' } }} What stands here for the users of the application. */
const users = { ana: { password: 'a', role: 'admin' }, vic: { password: 'v', role: 'viewer' } };

/** @param {import('fastify').FastifyRequest} request */
function userOf({ headers: { authorization = '' } }) {
  const [name = '', password] = Buffer.from(authorization.replace(/^Basic /, ''), 'base64')
    .toString()
    .split(':');
  const user = Object.hasOwn(users, name) ? users[name] : undefined;
  return user && user.password === password ? { id: name, role: user.role } : null;
}

const analytics = await open(process.argv[2] ?? ':memory:');

/** @type {import('travelsense').Handler<import('fastify').FastifyRequest>} */
const handler = createHandler({
  analytics,
  basePath: '/analytics',
  getPrincipal: (_, /** @type {import('fastify').FastifyRequest} */ from) => {
    const login = { status: 401, headers: { 'www-authenticate': 'Basic realm="travel"' } };
    return userOf(from) ?? new Response('Log in.', login);
  },
});

const app = fastify();
app.addHook('onClose', () => analytics.close());
app.register(async (mount) => {
  // The handler reads bodies by itself.
  mount.removeAllContentTypeParsers();
  mount.addContentTypeParser('*', (_request, _body, done) => done(null));
  /** @type {import('fastify').RouteHandlerMethod} */
  const serve = (request, reply) => {
    reply.hijack();
    createRequestListener((asked) => handler(asked, request))(request.raw, reply.raw);
    return reply;
  };
  mount.all('/analytics', serve);
  mount.all('/analytics/*', serve);
});

console.log(`${await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' })}/analytics`);
process.once('SIGTERM', () => {
  app.server.closeAllConnections();
  void app.close();
});
