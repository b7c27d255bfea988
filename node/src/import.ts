/** Events from files and from Arrow. */

import { fileURLToPath } from 'node:url';
import { exact, type Exact } from './answer.js';
import { stoppable } from './asking.js';
import type { FieldError } from './error.js';
import type { NativeStore } from './native.js';
import { written } from './question.js';
import { spooled } from './spool.js';
import { latest } from './stream.js';

/** A table of the platform beside its events. */
export type PlatformTable =
  'profiles' | 'aliases' | 'merges' | 'trips' | 'bookings' | 'reviews' | 'payments' | 'performance' | 'rates';

/** Which column of the data is what; a column that is nothing of this becomes a property. */
export interface Mapping {
  /** The user's id; else `userId` or `user_id`. */
  user?: string | null;
  /** The anonymous id; else `anonymousId` or `anonymous_id`. */
  anonymous?: string | null;
  /** The session; else `sessionId` or `session_id`. */
  session?: string | null;
  /** The event's name; else `name` or `event`. */
  name?: string | null;
  /** One event name for every row, in place of a column. */
  event?: string | null;
  /** When it happened; else `ts`, `timestamp` or `time`. */
  time?: string | null;
  /** The event's id; else `eventId` or `event_id`. */
  id?: string | null;
  /** When it was received; else `receivedAt` or `received_at`. */
  received?: string | null;
  /** When the client sent it; else `sentAt` or `sent_at`. */
  sent?: string | null;
  /** Its place among the client's events; else `clientSeq` or `client_seq`. */
  seq?: string | null;
  /** An object of properties; else `properties`. */
  properties?: string | null;
  /** The IANA zone of times without an offset and of bare dates; `UTC` by default. */
  timezone?: string | null;
  /** What times that are bare numbers count since 1970. */
  timeUnit?: 's' | 'ms' | 'us' | null;
}

/** How an import is done. */
export interface ImportOptions extends Mapping {
  /** The table of the platform that the rows belong to; the events by default. */
  table?: PlatformTable | null;
  /** Keeps nothing where any row is refused; false by default. */
  strict?: boolean | null;
  /** Hears how far it is; an exception from it stops the import, which is then rejected with it. */
  onProgress?: ((progress: Progress) => void) | null;
  /** Stops the import, which is then rejected with the signal's reason; nothing of it is kept. Too late, it changes nothing. */
  signal?: AbortSignal | null;
}

/** How far an import is. */
export interface Progress {
  /** How many rows were read. */
  rows: number;
  /** How many there are, where the source says so. */
  totalRows: number | null;
  /** How many bytes of the file were read, where it is read as bytes. */
  bytes: number;
  /** How many bytes the file has. */
  totalBytes: number | null;
}

/** What became of the rows of an import: accepted + duplicates + refused = sent. */
export interface ImportReport {
  /** How many rows were read. */
  sent: number;
  /** How many were new, or took the place of another row of a platform's table. */
  accepted: number;
  /** How many were there already, by their id. */
  duplicates: number;
  /** How many were not valid. */
  refused: number;
  /** How many of the refused were kept aside, because their time lies in the future. */
  quarantined: number;
  /** How many rows of the same id and another content were kept out. */
  conflicts: number;
  /** How many stored rows gave way to one of these. */
  replaced: number;
  /** How many were refused for which reason, by the code of the first thing wrong with each. */
  refusedByCode: { [code: string]: number };
  /** The first 1,000 refusals. */
  refusals: Refusal[];
  /** The data version afterwards; unchanged where nothing was new. */
  version: number;
}

/** Why a row was refused. */
export interface Refusal {
  /** The line of a text file, from 1, or the row of another source, from 1. */
  line: number;
  /** Everything wrong with it. */
  errors: FieldError[];
}

/** Rows from a file by its path or `file:` URL, from Arrow IPC, or one by one. */
export type ImportSource = string | URL | Uint8Array | Iterable<object> | AsyncIterable<object>;

/** An import under way: a promise of its report. */
export interface Importing extends Promise<Exact<ImportReport>> {
  /** How far it is, again and again until it is over; fails as the import does. */
  readonly progress: AsyncIterable<Progress>;
}

/** Imports; what stopped it is thrown as it was given. */
export function importing(
  store: NativeStore,
  source: ImportSource,
  options: ImportOptions,
  started: (run: () => Promise<string>) => Promise<string>,
): Importing {
  const { onProgress, signal, ...asked } = options;
  let say: (progress: Progress) => void = () => {};
  const tell = (rows: number, totalRows: number | null, bytes: number, totalBytes: number | null) => {
    const progress = { rows, totalRows, bytes, totalBytes };
    say(progress);
    onProgress?.(progress);
  };
  const from = (source: string | Uint8Array) =>
    stoppable(signal, tell, (stop, hear) => store.import(source, written(asked), stop, hear), true);
  const run = started(async () => {
    if (typeof source === 'string' || source instanceof Uint8Array) return from(source);
    return source instanceof URL ? from(fileURLToPath(source)) : spooled(source, signal, from);
  });
  const report = run.then((text) => exact<ImportReport>(text));
  const told = latest<Progress>(report);
  say = told.say;
  return Object.defineProperty(report, 'progress', { value: told.heard }) as Importing;
}
