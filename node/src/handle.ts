/// <reference lib="esnext.disposable" preserve="true" />
/** An open store as JavaScript holds it: what runs, what serves requests, and how all of it ends. */

import { asked, type Asking, type How } from './asking.js';
import { awaited, immediate, TravelsenseError } from './error.js';
import type { NativeHandler, NativeReply, NativeStore } from './native.js';
import { written } from './question.js';

/** @internal The name of what `createHandler` sends requests by. */
export const host = Symbol('host');

/** An open store. */
export class Handle implements AsyncDisposable {
  /** @internal */
  protected readonly native: NativeStore;
  readonly #running = new Set<Promise<unknown>>();
  readonly #hosted: { handler: NativeHandler; open: Set<NativeReply> }[] = [];
  #closing: Promise<void> | null = null;

  /** @internal Use {@link open}. */
  constructor(store: NativeStore) {
    this.native = store;
  }

  /** Ends handlers and waits for the calls that run, then closes the file; calling it again changes nothing. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running);
    for (const { handler, open } of this.#hosted) {
      for (const reply of open) reply.end();
      await handler.close();
    }
    await Promise.allSettled(this.#running);
    await awaited(() => this.native.close());
  }

  /** @internal What {@link createHandler} sends requests by. */
  [host](options: object) {
    if (this.#closing !== null) throw closed();
    const handler = immediate(() => this.native.handler(written(options)));
    const open = new Set<NativeReply>();
    this.#hosted.push({ handler, open });
    return {
      open,
      send: (request: string, body: Uint8Array | null) => immediate(() => handler.send(request, body)),
      hold: <T>(call: () => Promise<T>) => this.call(call),
      next: (reply: NativeReply) => awaited(() => reply.next()),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Asks for as long as it may take. @internal */
  protected ask<T>(asking: Asking | null | undefined, call: (...how: How) => Promise<T>): Promise<T> {
    return this.call(() => asked(asking, call));
  }

  /** Does what can be given up until it is done. @internal */
  protected done<T>(asking: Asking | null | undefined, call: (...how: How) => Promise<T>): Promise<T> {
    return this.call(() => asked(asking, call, true));
  }

  /** Calls the native module, unless the store is closed. @internal */
  protected async call<T>(call: () => Promise<T>): Promise<T> {
    if (this.#closing !== null) throw closed();
    const running = awaited(call);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }
}

function closed(): TravelsenseError {
  return new TravelsenseError({ kind: 'conflict', code: 'closed', message: 'the store is closed', errors: [] });
}
