/** A question or options as the JSON that the core reads. What is wrong with them, the core says. */

import { TravelsenseError, type FieldError } from './error.js';

/**
 * The JSON of a question. A `Date` becomes its instant.
 *
 * What JSON would silently turn into null or drop, and so into a default that was not asked for, becomes text that the
 * core refuses by the field's name: `NaN`, infinities, invalid dates, functions, symbols.
 */
export function written(question: unknown): string {
  return json(question, 'question', function (this: Record<string, unknown>, key: string, value: unknown): unknown {
    const given = this[key];
    if (given instanceof Date && Number.isNaN(given.getTime())) return String(given);
    if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
    if (typeof value === 'bigint') return whole(key, value);
    if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`;
    return value;
  });
}

/**
 * The JSON of data, such as a batch of events that is called `name`. A `Date` becomes its instant, and what is no data is left out, as
 * JSON has it; but numbers and text that the core could not read are refused by where they stand.
 */
export function data(rows: unknown, name: string): string {
  return json(rows, name, function (this: Record<string, unknown>, key: string, value: unknown): unknown {
    const given = this[key];
    if (given instanceof Date && Number.isNaN(given.getTime())) return String(given);
    if (unwritable(value)) throw invalid([...unwritables(rows, name)]);
    return typeof value === 'bigint' ? Number(value) : value;
  });
}

/** The JSON of what there is one of. */
function json(value: unknown, name: string, replacer: (key: string, value: unknown) => unknown): string {
  try {
    return JSON.stringify(value ?? null, replacer);
  } catch (error) {
    const circular = error instanceof TypeError && error.message.startsWith('Converting circular structure');
    if (!circular && !(error instanceof RangeError)) throw error;
    throw invalid([{ field: name, code: 'too_deep', message: 'holds itself, or is nested too deeply to be written' }]);
  }
}

function* unwritables(value: unknown, field: string): Generator<FieldError> {
  const error = unwritable(value);
  if (error) yield { field, ...error };
  if (Array.isArray(value)) {
    for (const [i, inner] of value.entries()) yield* unwritables(inner, `${field}[${i}]`);
  } else if (value !== null && typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) yield* unwritables(inner, `${field}.${key}`);
  }
}

function unwritable(value: unknown): Omit<FieldError, 'field'> | null {
  if (typeof value === 'number' && !Number.isFinite(value))
    return { code: 'not_finite', message: 'must be a finite number, or null' };
  if (typeof value === 'bigint' && !Number.isSafeInteger(Number(value)))
    return { code: 'out_of_range', message: `\`${value}\` is beyond 2^53 − 1 and cannot be written exactly` };
  // Such as is left where an emoji was cut. It is not mended, which would make two ids one.
  if (typeof value === 'string' && !value.isWellFormed())
    return { code: 'invalid_text', message: 'holds half a character, which is no Unicode' };
  return null;
}

/** That of what is wrong with fields. */
function invalid(errors: FieldError[]): TravelsenseError {
  const message = errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return new TravelsenseError({ kind: 'invalid', code: 'validation_failed', message, errors });
}

function whole(field: string, value: bigint): number {
  const error = unwritable(value);
  if (error) throw invalid([{ field, ...error }]);
  return Number(value);
}
