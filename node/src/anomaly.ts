/** What of a metric was not as usual, and what of any table of series. */

import { stoppable } from './asking.js';
import { awaited } from './error.js';
import {
  columns,
  lazy,
  type Charted,
  type ForecastAsking,
  type ForecastOptions,
  type Frame,
  type SeriesColumns,
  type SeriesValues,
} from './forecast.js';
import { native } from './native.js';
import { written } from './question.js';
import type { Metric } from './realtime.js';
import type { Stamp, When, Window } from './query.js';

/** What of a metric was not as usual over a range; what is usual is learned from six to nine weeks before. */
export interface AnomaliesQuestion {
  /** What is looked at. */
  metric: Metric;
  /** Where the range begins. */
  startDate: When;
  /** Where it ends; a bare date is included whole, an instant is excluded. */
  endDate: When;
  /** The IANA zone whose weekdays and hours count; `UTC` by default. */
  timezone?: string | null;
  /** The length of a bucket; an hour by default. */
  step?: 'minute' | 'five_minutes' | 'quarter_hour' | 'hour' | null;
  /** How many false alarms a week are put up with. */
  alarmsPerWeek?: number | null;
  /** The least change that is told, as a share. */
  minChange?: number | null;
  /** The least that must be expected of a stretch. */
  minVolume?: number | null;
  /** For how long after its end late events may still come into a bucket; a minute by default. */
  lateness?: Window | null;
  /** Nothing after this instant is seen; now by default. */
  asOf?: When | null;
}

/** What is expected of nineteen in twenty. */
export interface Expected {
  low: number;
  high: number;
}

/** Something that was not as it usually is. */
export interface Finding {
  /** What sort it is, such as a spike or a shift of the level. */
  shape: string;
  /** Which way. */
  direction: string;
  /** How bad it was at its worst. */
  severity: 'minor' | 'major' | 'critical';
  /** The start of the first bucket that deviates. */
  since: string;
  /** The start of the bucket in which it was found. */
  foundAt: string;
  /** The start of the first bucket that is as usual again; null while it lasts. */
  until: string | null;
  /** What was expected of an average bucket. */
  expected: number;
  /** The 95 % interval of that. */
  interval: Expected;
  /** What came instead. */
  observed: number;
  /** `observed` less `expected`, of `expected`; null where nothing was expected. */
  change: number | null;
  /** How many robust standard deviations it is off; null where the series never varies. */
  score: number | null;
  /** How likely chance alone does this at a given moment. */
  pValue: number | null;
}

/** One bucket. */
export interface AnomalyPoint {
  /** Its first instant. */
  start: string;
  /** Its value; null where its denominator is 0. */
  value: number | null;
  /** What was expected; null where that is not known. */
  expected: number | null;
  /** The 95 % interval of what was expected. */
  interval: Expected | null;
  /** How many robust standard deviations it is off. */
  score: number | null;
  /** Why it was judged or not; null for a bucket that is not complete, has no value, or lies before the first event. */
  status: 'judged' | 'learning' | 'too_few' | 'seen' | null;
  /** Whether it is part of a finding. */
  unusual: boolean;
}

/** What of a metric was not as usual. */
export interface AnomaliesAnswer extends Stamp {
  /** What was looked at. */
  metric: Metric;
  /** The length of a bucket in seconds. */
  step: number;
  /** Whose weekdays and hours. */
  timezone: string;
  /** The first instant of the range. */
  startDate: string;
  /** The first instant after the range. */
  endDate: string;
  /** Nothing after this instant was seen. */
  asOf: string;
  /** What was found, in the order in which it was found. */
  findings: Finding[];
  /** The buckets of the range. */
  series: AnomalyPoint[];
}

/** How series are judged. */
export interface DetectOptions extends Pick<
  ForecastOptions,
  'freq' | 'gaps' | 'kind' | 'asOf' | 'idCol' | 'timeCol' | 'targetCol' | 'threads'
> {
  /** How many false alarms a week are put up with. */
  readonly alarmsPerWeek?: number | null;
  /** The least change that is told, as a share. */
  readonly minChange?: number | null;
  /** The least that must be expected of a stretch; of counts 20 by default. */
  readonly minVolume?: number | null;
}

/** What the word `detect_anomalies` is asked. */
export type DetectColumns = Omit<SeriesColumns, 'regressors'> &
  SeriesValues &
  Omit<DetectOptions, 'targetCol' | 'threads'>;

/** Something in a series that was not as it usually is. */
export interface SeriesFinding extends Omit<Finding, 'since' | 'foundAt' | 'until'> {
  /** The series. */
  uniqueId: string;
  /** The first period that deviates. */
  since: string | number;
  /** The period in which it was found. */
  foundAt: string | number;
  /** The first period that is as usual again; null while it lasts. */
  until: string | number | null;
}

/** What was not as usual in the series of a table. */
export interface DetectAnswer {
  /** Every period, column by column. */
  rows: {
    uniqueId: string[];
    ds: (string | number)[];
    y: (number | null)[];
    expected: (number | null)[];
    low: (number | null)[];
    high: (number | null)[];
    score: (number | null)[];
    status: AnomalyPoint['status'][];
    unusual: boolean[];
  };
  /** What was found, series by series. */
  findings: SeriesFinding[];
  /** How each series was read. */
  series: {
    uniqueId: string;
    kind: 'value' | 'count' | 'amount' | 'share';
    periods: number;
    /** Periods that had no row. */
    filled: number;
    gaps: 'zero' | 'missing' | 'closed' | null;
    /** Rows of a period that already had one. */
    repeated: number;
    /** Rows after `asOf`. */
    future: number;
    /** Whether the last period was not over and left out. */
    partial: boolean;
  }[];
}

/**
 * What was not as usual in each series of a table.
 *
 * Each period is judged by what came before it: hours and shorter ones by the same hour of the last four weeks, days by the same
 * weekday of the last eight, longer ones and those of an axis of integers by the 26 before. The table of the answer has `unique_id`
 * and `ds` as they came, `y`, `expected`, `low`, `high`, `score`, `status` and `unusual`.
 *
 * @example
 * ```ts
 * const { findings } = await detectAnomalies(rows, { kind: 'count' });
 * console.log(findings.map(({ since, expected, observed }) => [since, expected, observed]));
 * ```
 */
export async function detectAnomalies(
  frame: Frame,
  options?: DetectOptions | null,
  asking?: ForecastAsking | null,
): Promise<Charted<DetectAnswer>> {
  const { threads, targetCol, ...asked } = options ?? {};
  const arrow = frame instanceof Uint8Array;
  const names = {
    ids: asked.idCol ?? 'unique_id',
    times: asked.timeCol ?? 'ds',
    values: targetCol ?? 'y',
    regressors: [],
  };
  const question = written(arrow ? { ...asked, targetCol } : { ...asked, ...columns(frame, names) });
  const call = stoppable(asking?.signal, asking?.onProgress, (stop, hear) =>
    native.detectAnomalies(arrow ? frame : null, question, threads ?? null, stop, hear),
  );
  return lazy<DetectAnswer>(await awaited(() => call), ['rows', 'findings', 'series']);
}
