/** How a question is asked: how long it may take, what gives it up, and who hears how far it is. */

import { setImmediate } from 'node:timers/promises';
import { cancelled } from './error.js';
import { native, type NativeStop } from './native.js';
import { written } from './question.js';

/** How a question is asked. */
export interface Asking {
  /** After so many milliseconds it is given up as `timed_out`; as the store says by default. */
  timeoutMs?: number | null;
  /** Gives the question up, which is then rejected with the signal's reason. */
  signal?: AbortSignal | null;
  /**
   * Once the question has taken a second, hears now and then which share of the pass at hand is done, 0 to 1; some questions
   * take several passes. An exception from it gives the question up, which is then rejected with it.
   */
  onProgress?: ((share: number) => void) | null;
}

/** What the native module takes beside a question: a time limit as JSON, what stops it, and what hears of it. */
export type How = [limit: string, stop: NativeStop, hear: ((share: number) => void) | null];

/** So many milliseconds after a question was given up it is left to itself: what it builds for all who ask may take longer. */
const LEFT = 200;

/** Asks a question for as long as it may take. */
export function asked<T>(asking: Asking | null | undefined, call: (...how: How) => Promise<T>, kept = false): Promise<T> {
  if (asking == null) return call('{}', new native.Stop(), null);
  const { signal, onProgress, ...limit } = asking;
  return stoppable(signal, onProgress, (stop, hear) => call(written(limit), stop, hear), kept);
}

/**
 * Makes a call that a signal, or an exception of what hears of it, stops; what stopped it is thrown as it was given. A signal that
 * comes when all was done already is heeded too, unless what was done is `kept`; then its end is waited for.
 */
export async function stoppable<Told extends unknown[], T>(
  signal: AbortSignal | null | undefined,
  onTold: ((...told: Told) => void) | null | undefined,
  call: (stop: NativeStop, hear: ((...told: Told) => void) | null) => Promise<T>,
  kept = false,
): Promise<T> {
  signal?.throwIfAborted();
  const stop = new native.Stop();
  // An `AbortController` for each question would take longer than some questions.
  const halted = { now: false, reason: undefined as unknown };
  let leave: (reason: unknown) => void;
  const left = new Promise<never>((_, reject) => (leave = reject));
  let leaving: NodeJS.Timeout | undefined;
  const halt = (reason: unknown) => {
    if (!halted.now) Object.assign(halted, { now: true, reason });
    stop.stop();
    if (!kept) leaving ??= setTimeout(() => leave(halted.reason), LEFT);
  };
  const onAbort = () => halt(signal?.reason);
  let failed = false;
  const hear = (...told: Told) => {
    try {
      if (!halted.now) onTold?.(...told);
    } catch (thrown) {
      failed = true;
      halt(thrown);
    }
  };

  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const given = await Promise.race([call(stop, onTold ? hear : null), left]);
    // What was told last may still be in the queue behind the answer.
    if (onTold) await setImmediate();
    if (halted.now && (!kept || failed)) throw halted.reason;
    return given;
  } catch (error) {
    throw halted.now && cancelled(error) ? halted.reason : error;
  } finally {
    clearTimeout(leaving);
    signal?.removeEventListener('abort', onAbort);
  }
}
