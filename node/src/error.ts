/** The one error of this package, and how it comes out of the native module. */

/** What sort of failure it is. */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'cancelled'
  | 'limit'
  | 'storage'
  | 'corrupt'
  | 'internal';

/** One thing wrong with one field. */
export interface FieldError {
  /** The field as it was written, for example `steps[2].event`. */
  field: string;
  /** A stable code, for example `required` or `not_in_list`. */
  code: string;
  /** A sentence for people. */
  message: string;
}

interface Reason {
  kind: ErrorKind;
  code: string;
  message: string;
  errors: FieldError[];
}

/** Every failure of travelsense: its sort, a stable code, a sentence, and all field errors at once. */
export class TravelsenseError extends Error {
  override readonly name = 'TravelsenseError';
  /** What sort of failure it is. */
  readonly kind: ErrorKind;
  /** The stable code, for example `validation_failed`. */
  readonly code: string;
  /** Everything wrong with the question; empty unless the code is `validation_failed`. */
  readonly errors: readonly FieldError[];

  /** @internal */
  constructor({ kind, code, message, errors }: Reason) {
    super(message);
    this.kind = kind;
    this.code = code;
    this.errors = errors;
  }
}

/** Awaits the native module, and gives its failures back as {@link TravelsenseError}. */
export async function awaited<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const reason = reasonOf(error);
    throw reason === null ? error : new TravelsenseError(reason);
  }
}

/** Calls the native module for what it gives at once. */
export function immediate<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    const reason = reasonOf(error);
    throw reason === null ? error : new TravelsenseError(reason);
  }
}

/** Whether the native module says that it was told to stop. */
export function cancelled(error: unknown): boolean {
  return reasonOf(error)?.kind === 'cancelled';
}

/** The native module puts the whole error into the message as JSON, because a rejection from a thread carries only text. */
function reasonOf(error: unknown): Reason | null {
  if (!(error instanceof Error) || !error.message.startsWith('{"')) return null;
  return JSON.parse(error.message) as Reason;
}
