/** What is told again and again while something goes on. */

import { setTimeout } from 'node:timers/promises';

/** The latest of what is said until something is over; whoever comes too late for one gets the next. */
export function latest<T>(over: Promise<unknown>): { say: (value: T) => void; heard: AsyncIterable<T> } {
  let said: { value: T } | null = null;
  let ended = false;
  let wake = () => {};
  const end = () => {
    ended = true;
    wake();
  };
  over.then(end, end);
  const say = (value: T) => {
    said = { value };
    wake();
  };
  const next = (): { value: T } | null => {
    const now = said;
    said = null;
    return now;
  };
  return {
    say,
    heard: {
      async *[Symbol.asyncIterator]() {
        // Whoever listens here is told of a failure here, and need not look at the promise too.
        over.catch(() => {});
        for (;;) {
          const now = next();
          if (now !== null) yield now.value;
          else if (ended) break;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
        await over;
      },
    },
  };
}

/** Asks again and again, so many milliseconds from one beginning to the next. */
export async function* repeated<T>(
  every: number,
  signal: AbortSignal | null | undefined,
  ask: () => Promise<T>,
): AsyncGenerator<T, void, undefined> {
  for (let next = performance.now() + every; ; next = Math.max(next + every, performance.now())) {
    yield await ask();
    await pause(next - performance.now(), signal);
  }
}

/** Waits, unless a signal says that nobody does any more; then throws the signal's reason. */
async function pause(milliseconds: number, signal: AbortSignal | null | undefined): Promise<void> {
  try {
    await setTimeout(Math.max(milliseconds, 0), undefined, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
