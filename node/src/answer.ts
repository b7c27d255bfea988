/** An answer as a plain object that also knows its exact text and its table. */

import { awaited } from './error.js';
import type { NativeAnswer } from './native.js';

/**
 * A plain object or array that also knows its exact text.
 *
 * The method is not enumerable: spreading, cloning, comparing or printing the object leaves it out.
 */
export type Exact<T> = T & {
  /**
   * The core's JSON, byte for byte what the other doors give for the same question. `JSON.stringify` gives the same
   * values, but may write a number in another way.
   */
  toJSONText(): string;
};

/** A plain object or array that also knows its exact text and its table. */
export type Answer<T> = Exact<T> & {
  /** The answer as a table, in the Arrow IPC stream format. */
  toArrowIPC(): Promise<Uint8Array>;
};

/** Reads the core's text. */
export function exact<T extends object>(text: string): Exact<T> {
  const value = JSON.parse(text) as T;
  return Object.defineProperty(value, 'toJSONText', { value: () => text }) as Exact<T>;
}

/** Reads an answer with a table. */
export function answer<T extends object>(native: NativeAnswer): Answer<T> {
  const value = exact<T>(native.text);
  const toArrowIPC = () => awaited(() => native.toArrowIpc());
  return Object.defineProperty(value, 'toArrowIPC', { value: toArrowIPC }) as Answer<T>;
}
