/** Forecasts and backtests of any table of series, without a store. */

import { stoppable } from './asking.js';
import { rowsOf, type Answer, type RowOptions } from './answer.js';
import { awaited } from './error.js';
import { native, type NativeAnswer } from './native.js';
import type { When } from './query.js';
import { written } from './question.js';

/** A row of a series; columns beyond these three may be regressors. */
export interface SeriesRow {
  /** The series; may be absent where there is one. */
  readonly unique_id?: string | number | null;
  /** A date, a time, or an integer. */
  readonly ds: When | number;
  /** The value; null where it is missing. */
  readonly y?: number | null;
  readonly [column: string]: unknown;
}

/** Rows, or a table in Arrow IPC. */
export type Frame = readonly SeriesRow[] | Uint8Array;

/** How series are forecast. */
export interface ForecastOptions {
  /** How many periods ahead, 1 to 10,000. */
  readonly horizon: number;
  /** The central intervals in per cent, each above 0 and below 100; 80 and 95 by default. */
  readonly level?: number | readonly number[] | null;
  /** Probabilities whose values are given too. */
  readonly quantiles?: readonly number[] | null;
  /** The distance of two periods: `D`, `W`, `M`, `Q`, `Y`, `h`, `15min`, `2W` and the like, or an integer; inferred by default. */
  readonly freq?: string | number | null;
  /** The periods of a season, or of several; those of the frequency by default. */
  readonly seasonLength?: number | readonly number[] | null;
  /** What a period without a row means; inferred by default. */
  readonly gaps?: 'zero' | 'missing' | 'closed' | null;
  /** What values may be; the first three are inferred by default. */
  readonly kind?: 'value' | 'count' | 'amount' | 'share' | null;
  /** The two letters of a country whose holidays count in daily series. */
  readonly country?: string | null;
  /** Days, or one day, past and to come, by the name of what happens on them. */
  readonly events?: Readonly<Record<string, When | readonly When[]>> | null;
  /** Columns of the frame that explain `y`. */
  readonly regressors?: readonly string[] | null;
  /** The values of the regressors in the periods ahead. */
  readonly future?: Frame | null;
  /** Later rows are not seen, nor is a period that ends later. */
  readonly asOf?: When | number | null;
  /** The column of series, `unique_id` by default. */
  readonly idCol?: string | null;
  /** The column of times, `ds` by default. */
  readonly timeCol?: string | null;
  /** The column of values, `y` by default. */
  readonly targetCol?: string | null;
  /** How many threads to use; all cores by default. */
  readonly threads?: number | null;
}

/** How forecasts are tested. */
export interface BacktestOptions extends Omit<ForecastOptions, 'level' | 'quantiles' | 'future'> {
  /** From how many past origins; 5 by default. */
  readonly origins?: number | null;
  /** How many periods lie between two origins; the horizon by default. */
  readonly step?: number | null;
}

/** A table of series column by column, as the words `forecast` and `backtest` take it. */
export interface SeriesColumns {
  /** The series of each row; absent where there is one. */
  readonly uniqueId?: readonly (string | number)[] | null;
  /** The times: dates, times, or integers. */
  readonly ds: readonly (When | number)[];
  /** Columns that explain the values, by name. */
  readonly regressors?: Readonly<Record<string, readonly (number | null)[]>> | null;
}

/** The values of such a table. */
export interface SeriesValues {
  /** The values; null where one is missing. */
  readonly y: readonly (number | null)[];
}

type InColumns = SeriesColumns &
  SeriesValues & {
    /** Days, past and to come, by the name of what happens on them. */
    readonly events?: readonly { readonly name: string; readonly days: readonly When[] }[] | null;
  };

/** What the word `forecast` is asked. */
export type ForecastColumns = InColumns &
  Omit<ForecastOptions, 'events' | 'regressors' | 'future' | 'targetCol' | 'threads'> & {
    /** The regressors in the periods ahead. */
    readonly future?: SeriesColumns | null;
  };

/** What the word `backtest` is asked. */
export type BacktestColumns = InColumns & Omit<BacktestOptions, 'events' | 'regressors' | 'targetCol' | 'threads'>;

/** What gives a forecast up, and who hears how far it is. */
export interface ForecastAsking {
  /** Gives the forecast up, which is then rejected with the signal's reason. */
  readonly signal?: AbortSignal | null;
  /** Hears which share of the series is done, 0 to 1; an exception from it gives the forecast up. */
  readonly onProgress?: ((share: number) => void) | null;
}

/** A model and its share in a forecast. */
export interface ModelShare {
  name: string;
  share: number;
}

/** What was done to a series before its forecast, and what was found in it. */
export interface ForecastNotes {
  /** Periods of the history. */
  periods: number;
  seasons: number[];
  /** Periods that had no row. */
  filled: number;
  gaps: 'zero' | 'missing' | 'closed' | null;
  /** Rows of a period that already had one. */
  repeated: number;
  /** Rows after `asOf`. */
  future: number;
  /** Whether the last period was not over and left out. */
  partial: boolean;
  /** Past outliers, which were drawn in for the fit. */
  outliers: string[];
  /** Steps of the level. */
  shifts: { since: string; size: number }[];
  /** What the calendar explains. */
  effects: { name: string; size: number; relative: boolean; days: number }[];
  /** Whether the history is too short for more than a wide guess. */
  short: boolean;
  /** Whether the models ran away and the seasonal naive forecast stands in. */
  fallback: boolean;
}

/** The forecasts of a table. */
export interface ForecastAnswer {
  /** Column by column. */
  forecasts: {
    uniqueId: string[];
    ds: (string | number)[];
    mean: (number | null)[];
    intervals: { level: number; lower: (number | null)[]; upper: (number | null)[] }[];
    quantiles?: { quantile: number; values: (number | null)[] }[];
  };
  /** What was done and found, series by series. */
  series: ({ uniqueId: string; models: ModelShare[]; kind: string } & ForecastNotes)[];
}

/** What one forecaster scored. */
export interface Score {
  /** The mean absolute error over that of the seasonal naive forecast one season ahead in the history. */
  mase: number | null;
  /** The sum of absolute errors over the sum of absolute values. */
  wape: number | null;
  /** The sum of errors, forecast less value, over the sum of absolute values: above 0, too much was forecast. */
  bias: number | null;
  /** The share of values within the 80 % interval. */
  coverage80: number | null;
  /** The share of values within the 95 % interval. */
  coverage95: number | null;
  /** The mean width of the 80 % interval over the mean absolute value. */
  width80: number | null;
  /** The same of the 95 % interval. */
  width95: number | null;
}

/** The backtests of a table. */
export interface BacktestAnswer {
  /** All series together. */
  overall: { series: number; points: number; model: Score; naive: Score };
  /** Series by series. */
  series: { id: string; origins: number; points: number; model: Score; naive: Score }[];
  /** Every compared value, column by column. */
  rows: {
    uniqueId: string[];
    cutoff: (string | number)[];
    ds: (string | number)[];
    y: number[];
    mean: (number | null)[];
    naive: number[];
  };
}

/** An answer that is also a picture of each of its series. */
export type Charted<T> = Answer<T> & {
  /** One series, the first by default, as SVG that follows light and dark pages; null where it is none of them. */
  toSVG(series?: string | null): Promise<string | null>;
};

/**
 * What comes next in each series of a table, and between which bounds.
 *
 * The table of the answer has `unique_id` and `ds` as they came, `mean`, and `lo-80`, `hi-80` and so on. Given Arrow IPC, the
 * rows never become JSON: `toArrowIPC` is all that large tables need, and the answer's own fields are made when they are
 * first read.
 *
 * @example
 * ```ts
 * const next = await forecast(rows, { horizon: 12, level: [80, 95] });
 * console.log(next.forecasts.mean);
 * ```
 */
export async function forecast(
  frame: Frame,
  options: ForecastOptions,
  asking?: ForecastAsking | null,
): Promise<Charted<ForecastAnswer>> {
  return lazy<ForecastAnswer>(await run('forecast', frame, options, asking), ['forecasts', 'series']);
}

/** How well the same forecasts would have done from past origins, beside the seasonal naive forecast. */
export async function backtest(
  frame: Frame,
  options: BacktestOptions,
  asking?: ForecastAsking | null,
): Promise<Charted<BacktestAnswer>> {
  return lazy<BacktestAnswer>(await run('backtest', frame, options, asking), ['overall', 'series', 'rows']);
}

async function run(
  verb: 'forecast' | 'backtest',
  frame: Frame,
  options: ForecastOptions | BacktestOptions,
  asking: ForecastAsking | null | undefined,
): Promise<NativeAnswer> {
  const { threads, events, regressors, future, targetCol, ...rest } = options as ForecastOptions;
  const asked = { ...rest, ...(events && { events: listed(events) }) };
  const arrow = frame instanceof Uint8Array;
  const ahead = future instanceof Uint8Array ? future : null;
  const names: Names = {
    ids: rest.idCol ?? 'unique_id',
    times: rest.timeCol ?? 'ds',
    values: targetCol ?? 'y',
    regressors: regressors ?? [],
  };
  const question = arrow
    ? written({ ...asked, regressors, targetCol })
    : written({
        ...asked,
        ...columns(frame, names),
        ...(future && !ahead && { future: columns(future as readonly SeriesRow[], names) }),
      });
  const call = stoppable(asking?.signal, asking?.onProgress, (stop, hear) =>
    native[verb](arrow ? frame : null, ahead, question, threads ?? null, stop, hear),
  );
  return awaited(() => call);
}

/** What the columns of a table are called. */
export interface Names {
  ids: string;
  times: string;
  values: string;
  regressors: readonly string[];
}

/** Rows as columns, in the core's JSON form. */
export function columns(rows: readonly SeriesRow[], names: Names): object {
  const has = (name: string) => rows.some((row) => name in row);
  const column = (name: string) => rows.map((row) => row[name] ?? null);
  const numbers = (name: string) => column(name).map((value) => (Number.isNaN(value) ? null : value));
  const known = names.regressors.filter(has);
  return {
    ...(has(names.ids) && { uniqueId: column(names.ids) }),
    ...(has(names.times) && { ds: column(names.times) }),
    ...(has(names.values) && { y: numbers(names.values) }),
    ...(known.length > 0 && { regressors: Object.fromEntries(known.map((name) => [name, numbers(name)])) }),
  };
}

function listed(events: Readonly<Record<string, When | readonly When[]>>): object[] {
  return Object.entries(events).map(([name, days]) => ({ name, days: [days].flat() }));
}

/** An answer whose fields are read from its text when one of them is first looked at. */
export function lazy<T extends object>(from: NativeAnswer, fields: readonly string[]): Charted<T> {
  let read: Record<string, unknown> | undefined;
  const made = {};
  for (const field of fields) {
    const get = () => (read ??= JSON.parse(from.text) as Record<string, unknown>)[field];
    Object.defineProperty(made, field, { enumerable: true, get });
  }
  Object.defineProperty(made, 'toJSONText', { value: () => from.text });
  Object.defineProperty(made, 'toArrowIPC', { value: () => awaited(() => from.toArrowIpc()) });
  Object.defineProperty(made, 'toRows', { value: (options?: RowOptions | null) => rowsOf(from, options ?? {}) });
  Object.defineProperty(made, 'toSVG', {
    value: (series?: string | null) => awaited(() => from.svg(series ?? null)),
  });
  return made as Charted<T>;
}
