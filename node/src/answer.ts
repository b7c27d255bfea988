/** An answer as a plain object that also knows its exact text and its table. */

import { awaited, TravelsenseError } from './error.js';
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
  /** The table row by row; whole numbers are `bigint` and times ISO 8601 text, unless the options say otherwise. */
  toRows(options?: RowOptions | null): AsyncIterable<Row>;
};

/** How the values of rows are given. */
export interface RowOptions {
  /** How whole numbers are given; `bigint` by default. A `number` beyond 2^53 − 1 is refused as `unsafe_integer`. */
  readonly int64?: 'bigint' | 'number' | 'string' | null;
  /** How times are given; as ISO 8601 text by default. */
  readonly instants?: 'string' | 'date' | null;
}

/** One row of a table: its values by the names of the columns. */
export interface Row {
  [column: string]: string | number | bigint | boolean | Date | null;
}

/** Reads the core's text. */
export function exact<T extends object>(text: string): Exact<T> {
  const value = JSON.parse(text) as T;
  return Object.defineProperty(value, 'toJSONText', { value: () => text }) as Exact<T>;
}

/** Reads an answer with a table. */
export function answer<T extends object>(native: NativeAnswer): Answer<T> {
  const value = exact<T>(native.text);
  const toArrowIPC = () => awaited(() => native.toArrowIpc());
  const rows = (options?: RowOptions | null) => rowsOf(native, options ?? {});
  return Object.defineProperties(value, { toArrowIPC: { value: toArrowIPC }, toRows: { value: rows } }) as Answer<T>;
}

type Value = string | number | boolean | null;

/** The rows of an answer's table. */
export async function* rowsOf(native: NativeAnswer, options: RowOptions): AsyncGenerator<Row, void, undefined> {
  const rows = await awaited(() => native.rows());
  const columns = rows.columns.map(([name, kind]) => {
    const read = kind === 'int64' ? whole(name, options) : kind === 'instant' ? instant(options) : plain;
    return { name, read };
  });
  for (;;) {
    const batch = JSON.parse(await awaited(() => rows.next())) as Value[][];
    if (batch.length === 0) return;
    for (const values of batch) {
      yield Object.fromEntries(columns.map(({ name, read }, i) => [name, read(values[i] ?? null)]));
    }
  }
}

const plain = (value: Value) => value;

function instant({ instants }: RowOptions): (value: Value) => Row[string] {
  return instants === 'date' ? (value) => (value === null ? null : new Date(String(value))) : plain;
}

/** Whole numbers cross as text, since JSON's numbers are not exact. */
function whole(column: string, { int64 }: RowOptions): (value: Value) => Row[string] {
  if (int64 === 'string') return plain;
  if (int64 !== 'number') return (value) => (value === null ? null : BigInt(value));
  return (value) => {
    if (value === null || Number.isSafeInteger(Number(value))) return value === null ? null : Number(value);
    const message = `${column}: ${value} is beyond 2^53 − 1; ask for bigint or string`;
    throw new TravelsenseError({ kind: 'invalid', code: 'unsafe_integer', message, errors: [] });
  };
}
