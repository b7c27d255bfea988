/** The HTTP API and the dashboard inside the program's own server, behind the program's own login. */

import type { Analytics } from './analytics.js';
import { TravelsenseError } from './error.js';
import { host } from './handle.js';
import type { NativeReply } from './native.js';

/** What a role allows is the same as for tokens of the server; a role that is none of these is allowed nothing. */
export type Role = 'admin' | 'analyst' | 'viewer' | 'collector';

/** Who asks. */
export interface HandlerPrincipal {
  /** Their id, as the record of who did what holds it. */
  readonly id: string;
  /** What they may do: `admin`, `analyst`, `viewer`, or `collector` for sending events and nothing else. */
  readonly role: Role | (string & {});
  /** From where they ask, such as an address; for the record only. */
  readonly address?: string | null;
}

/** What says who asks: a principal, null for nobody, or a response that is given instead, such as a redirect to a login. */
export type GetPrincipal<Context> = (request: Request, context: Context) => Answered | Promise<Answered>;

type Answered = HandlerPrincipal | Response | null | undefined;

/** How {@link createHandler} serves. */
export interface HandlerOptions<Context = undefined> {
  /** The store that is asked. Closing it ends the handler. */
  readonly analytics: Analytics;
  /**
   * Says who asks, for every request; it must not read the request's body. Without somebody, the API answers 401, and the
   * dashboard's page says that nobody is logged in.
   */
  readonly getPrincipal: GetPrincipal<Context>;
  /** Where the handler is, such as `/analytics`; at the root by default. */
  readonly basePath?: string | null;
  /** How many questions are answered at once; others wait. As many as there are cores by default. */
  readonly questions?: number | null;
  /** How long a question may wait and run, in milliseconds; 30 seconds by default. */
  readonly timeoutMs?: number | null;
  /** The most bytes of a request's body, but for events, which may have 8 MiB; 64 KiB by default. */
  readonly maxBody?: number | null;
  /** How many requests a second each principal may send, and twice as many at once; no limit by default. */
  readonly requestsPerSecond?: number | null;
  /** How many bytes of answers are kept for those who ask the same; 64 MiB by default. */
  readonly cacheBytes?: number | null;
}

/**
 * Answers requests. What is given beside the request goes to `getPrincipal` as it is, for example the request object of Express, which has
 * the user that the application's login found.
 */
export type Handler<Context = undefined> = undefined extends Context
  ? (request: Request, context?: Context) => Promise<Response>
  : (request: Request, context: Context) => Promise<Response>;

/**
 * A fetch-style handler with all routes of the HTTP server and the dashboard, in this process and without a socket: for Express, Fastify,
 * Nest, Next or anything else that has, or can be given, a `Request`. Checks, limits and the record are those of the server.
 *
 * A request whose path does not begin with `basePath` is taken as one whose framework has taken that off.
 *
 * @example
 * ```ts
 * import { createRequestListener } from '@remix-run/node-fetch-server';
 * import express from 'express';
 * import { createHandler, open } from 'travelsense';
 *
 * const analytics = await open('travel.db');
 * const handler = createHandler<express.Request>({
 *   analytics,
 *   basePath: '/analytics',
 *   getPrincipal: (_, { user }) => user && { id: user.id, role: user.isAdmin ? 'admin' : 'viewer' },
 * });
 * const app = express();
 * app.use('/analytics', (req, res) => createRequestListener((request) => handler(request, req))(req, res));
 * ```
 *
 * @throws {@link TravelsenseError} for options that cannot be met, and where the store is closed.
 */
export function createHandler<Context = undefined>(options: HandlerOptions<Context>): Handler<Context> {
  const { analytics, getPrincipal, ...hosting } = options;
  const base = (hosting.basePath ?? '').replace(/\/+$/, '');
  const served = analytics[host](hosting);
  return async (request: Request, context?: Context): Promise<Response> => {
    const who = await getPrincipal(request, context as Context);
    if (isResponse(who)) return who;
    const url = new URL(request.url);
    const headers = [...request.headers];
    if (!request.headers.has('host')) headers.push(['host', url.host]);
    const sent = JSON.stringify({
      method: request.method,
      target: below(base, url.pathname) + url.search,
      headers,
      who: who ? { id: String(who.id), role: String(who.role), address: who.address ?? null } : null,
    });
    const body = await taken(request);
    try {
      return await answered(served, request, served.send(sent, body));
    } catch (error) {
      // What HTTP itself would not have let through.
      if (error instanceof TravelsenseError && error.code === 'bad_request') return new Response(null, { status: 400 });
      throw error;
    }
  };
}

type Served = ReturnType<Analytics[typeof host]>;

async function answered(served: Served, request: Request, reply: NativeReply): Promise<Response> {
  const end = () => {
    request.signal.removeEventListener('abort', end);
    served.open.delete(reply);
    reply.end();
  };
  // Whoever asked has gone: a question is given up.
  request.signal.addEventListener('abort', end, { once: true });
  if (request.signal.aborted) end();
  const head = await served.hold(() => reply.head());
  if (head === null) {
    request.signal.throwIfAborted();
    throw new TravelsenseError({ kind: 'cancelled', code: 'cancelled', message: 'the store was closed', errors: [] });
  }
  const init = { status: head.status, headers: head.headers };
  const bare = request.method === 'HEAD' || head.status === 204 || head.status === 304;
  if (bare || head.body) {
    end();
    return new Response(bare ? null : head.body, init);
  }
  served.open.add(reply);
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const piece = await served.next(reply);
          if (piece !== null) return controller.enqueue(piece);
          controller.close();
        } catch (error) {
          controller.error(error);
        }
        end();
      },
      cancel: end,
    },
    // A piece is made when it can be sent.
    { highWaterMark: 0 },
  );
  return new Response(stream, init);
}

/** A path below the base. */
function below(base: string, path: string): string {
  if (path === base) return '/';
  return path.startsWith(`${base}/`) ? path.slice(base.length) : path;
}

/** The most that any route takes, and a byte more, by which it is known to be too much. */
const LARGEST = 8 * 1024 * 1024 + 1;

/** The body of a request, or so much of it that it is refused. */
async function taken(request: Request): Promise<Uint8Array | null> {
  if (request.body === null) return null;
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of request.body) {
    pieces.push(piece);
    size += piece.length;
    if (size >= LARGEST) break;
  }
  return pieces.length === 1 ? (pieces[0] ?? null) : Buffer.concat(pieces).subarray(0, LARGEST);
}

/** A response of whichever implementation. */
function isResponse(given: Answered): given is Response {
  return given !== null && given !== undefined && 'status' in given && 'headers' in given;
}
