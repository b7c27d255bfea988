/** Rows of the program as a file that the core reads: it sees them twice, and they need not fit into memory. */

import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { data } from './question.js';

/** Writes rows into a file that only this user can read, has it used, and removes it. */
export async function spooled<T>(
  rows: Iterable<object> | AsyncIterable<object>,
  signal: AbortSignal | null | undefined,
  use: (path: string) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  if (!(Object(rows) === rows && (Symbol.iterator in rows || Symbol.asyncIterator in rows)))
    throw new TypeError('a path, a file: URL, Arrow IPC or rows that can be iterated are needed');
  const folder = await mkdtemp(join(tmpdir(), 'travelsense-'));
  try {
    const path = join(folder, 'rows.ndjson');
    const write = pipeline(Readable.from(lines(rows)), createWriteStream(path, { mode: 0o600 }), {
      ...(signal ? { signal } : {}),
    });
    await write.catch((error: unknown) => {
      signal?.throwIfAborted();
      throw error;
    });
    return await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Lines by the batch: one write for many rows. */
async function* lines(rows: Iterable<object> | AsyncIterable<object>): AsyncGenerator<string> {
  let text = '';
  let row = 0;
  for await (const given of rows) {
    text += `${data(given, `rows[${row++}]`)}\n`;
    if (text.length > 65_536) {
      yield text;
      text = '';
    }
  }
  yield text;
}
