/** A question or options as the JSON that the core reads. What is wrong with them, the core says. */

import { TravelsenseError } from './error.js';

/**
 * The JSON of a question. A `Date` becomes its instant.
 *
 * What JSON would silently turn into null or drop, and so into a default that was not asked for, becomes text that the
 * core refuses by the field's name: `NaN`, infinities, invalid dates, functions, symbols.
 */
export function written(question: unknown): string {
  return JSON.stringify(
    question ?? null,
    function (this: Record<string, unknown>, key: string, value: unknown): unknown {
      const given = this[key];
      if (given instanceof Date && Number.isNaN(given.getTime())) return String(given);
      if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
      if (typeof value === 'bigint') return whole(key, value);
      if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`;
      return value;
    },
  );
}

function whole(field: string, value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  const message = `\`${value}\` is beyond 2^53 − 1 and cannot be written exactly`;
  throw new TravelsenseError({
    kind: 'invalid',
    code: 'validation_failed',
    message: `${field}: ${message}`,
    errors: [{ field, code: 'out_of_range', message }],
  });
}
