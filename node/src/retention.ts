/** Who comes back, by the period in which they started. */

import type { AnsweredCondition, AnsweredFilter, Condition, Filter } from './filter.js';
import type { Estimate, Preset, Range, Rate, Sample, SampleQuestion, Segment, Stamp, Weekday } from './query.js';

/** A property of events by its name, or of users. */
export type RetentionProperty = string | { readonly user: string; readonly at?: 'at_event' | 'as_of' };

/** The calendar period of cohorts and columns. */
export type CohortPeriod = 'hourly' | 'daily' | 'weekly' | 'monthly';

/**
 * When a user joins a cohort: once, at the first start ever; once, if the first event of the start's name meets its filters; or
 * in every period with a start.
 */
export type RetentionMode = 'first_time' | 'first_ever_then_filter' | 'recurring';

/** How columns count time: by the calendar, or from each start. */
export type RetentionUnit = 'calendar' | '24h' | '7d' | '30d' | 'month_anniversary';

/** Which returns a column counts. */
export type RetentionCriterion = 'on' | 'on_or_after' | 'on_or_before' | 'streak' | 'brackets';

/** The figure in the cells, for each eligible user. */
export type RetentionMetric =
  'retention_rate' | 'revenue' | 'engagement' | 'feature_usage' | 'property_sum' | 'property_average';

/** A table of users by the period in which they started, and the share that came back in each later period. */
export interface RetentionQuestion extends Range {
  /** The calendar period of cohorts and columns. */
  cohortPeriod: CohortPeriod;
  /** The figure in the cells; `retention_rate` by default. */
  analysisMetric?: RetentionMetric;
  /** The numeric property of the metrics `property_sum` and `property_average`. */
  property?: RetentionProperty | null;
  /** The event that starts a user; any by default. */
  start?: Condition;
  /** The event that brings a user back; any by default. */
  return?: Condition;
  /** Only events that meet all of these are seen. */
  filters?: readonly Filter[] | null;
  /** When a user joins a cohort; `first_time` by default. */
  mode?: RetentionMode | null;
  /** How columns count time; by the calendar by default. */
  unit?: RetentionUnit | null;
  /** From when on a unit of hours or days counts; from the start event by default. */
  clockStart?: 'event' | 'hour' | 'day' | null;
  /** Which returns a column counts; those on the period by default. */
  criterion?: RetentionCriterion | null;
  /** Columns of several periods, half-open and in order, in the place of a criterion. */
  brackets?: readonly (readonly [first: number, end: number])[] | null;
  /** The return events that a period needs to count one; 1 by default. */
  minimumOccurrences?: number | null;
  /** Whether a period counts users for whom it is not over; not by default. */
  maturity?: 'elapsed' | 'ignored' | null;
  /** A return counts only with the start's value of this property. */
  holdConstant?: RetentionProperty | null;
  /** The same table for each value that starts have of a property. */
  breakdown?: RetentionProperty | { readonly property: RetentionProperty; readonly limit?: number } | null;
  /** Which cohorts the averages pool; all by default. */
  pooling?: 'all' | 'common_cohorts' | null;
  /** The peer whose switches stand where none are given; `exact` by default. */
  preset?: Preset | null;
  /** The first day of weeks; `monday` by default. */
  weekStart?: Weekday | null;
  /** How many periods after the first to show; all that have begun by default. */
  periods?: number | null;
  /** Looks at a sample of the users only, and estimates from it; at all by default. */
  sample?: SampleQuestion | null;
}

/** Cohorts, and the share of each that came back, period by period. */
export interface RetentionAnswer extends Stamp {
  /** The period of cohorts and columns. */
  cohortPeriod: CohortPeriod;
  /** The figure in the cells. */
  analysisMetric: RetentionMetric;
  /** One row a period of the range. */
  cohorts: Cohort[];
  /** The pooled rate of each column over complete cells. */
  average: PeriodAverage[];
  /** The users counted. */
  segment: Segment;
  /** The first instant of the range. */
  startDate: string;
  /** The first instant after the range. */
  endDate: string;
  /** As `asOf`: an answer is computed, not stored. */
  createdAt: string;
  /** Nothing after this instant was seen. */
  asOf: string;
  /** The zone of the calendar. */
  timezone: string;
  /** The first day of weeks. */
  weekStart: Weekday;
  /** When a user joins a cohort. */
  mode: RetentionMode;
  /** The event that starts a user. */
  start: AnsweredCondition;
  /** The event that brings a user back. */
  return: AnsweredCondition;
  /** Whether stored history begins only at or after the range, so that "first time" may be wrong. */
  leftCensored: boolean;
  /** Events without a user, which no cohort counts. */
  unattributedEvents: number;
  /** The name of the rules the numbers follow. */
  preset: string;
  /** How each switch stands. */
  switches: RetentionSwitches;
  /** Which returns a column counts. */
  criterion: RetentionCriterion;
  /** How columns count time; absent for the calendar. */
  unit?: RetentionUnit;
  /** What all events seen say. */
  filters?: AnsweredFilter[];
  /** The property that the figure is of. */
  property?: RetentionProperty;
  /** The property in which returns equal their start. */
  holdConstant?: RetentionProperty;
  /** Which cohorts the averages pool; absent for all. */
  pooling?: string;
  /** The same table by the value of the start, where that was asked for. */
  breakdown?: { property: RetentionProperty; pooled: number; groups: RetentionGroup[] };
  /** Which users were looked at, where not all were. */
  sample?: Sample;
}

/** How each switch of a retention table stands. */
export interface RetentionSwitches {
  /** When a user joins a cohort. */
  mode: RetentionMode;
  /** How columns count time. */
  unit: RetentionUnit;
  /** From when on it is counted. */
  clockStart: 'event' | 'hour' | 'day';
  /** Which returns a column counts. */
  criterion: RetentionCriterion;
  /** The return events that a period needs to count one. */
  minimumOccurrences: number;
  /** Whether a period counts users for whom it is not over. */
  maturity: string;
  /** The property in which returns equal their start. */
  holdConstant: RetentionProperty | null;
  /** Which cohorts the averages pool. */
  pooling: string;
  /** The first day of weeks. */
  weekStart: Weekday;
}

/** The users whose start had one value; of every cell the groups add up to the table's. */
export interface RetentionGroup {
  /** The value; null where the start has none, and for `Other`. */
  value: unknown;
  /** The value as people read it. */
  label: string;
  /** Users, once for each cohort. */
  size: number;
  cohorts: Cohort[];
  average: PeriodAverage[];
}

/** The users who started in one period. */
export interface Cohort {
  /** The first instant of the period. */
  period: string;
  /** How many users. */
  size: number;
  /** What `size` says of all users, where they are sampled. */
  estimate?: Estimate;
  /** Whether the range cuts the period. */
  partial: boolean;
  /** Users with a return event in the period of their start that is not the start itself. */
  returnedInStartPeriod: number;
  /** One cell a period that has begun by `asOf`. */
  retention: Cell[];
}

/** One cell of the table. */
export interface Cell {
  /** Periods since the start; of a bracket its first. */
  period: number;
  /** The first period after the bracket. */
  until?: number;
  /**
   * `count / eligible`, or null where nobody is eligible; 1 for period 0 of a cohort with users. Of another metric, what the
   * returns amount to for each eligible user.
   */
  value: number | null;
  /** Users who returned, of those eligible; the cohort's size for period 0. */
  count: number;
  /** What `count` says of all users, where they are sampled. */
  estimate?: Estimate;
  /** Users for whom the period has fully elapsed; the cohort's size for period 0. */
  eligible: number;
  /** Whether the period has fully elapsed at `asOf`. */
  complete: boolean;
  /** Users who have returned so far in a period that is not complete. */
  partialCount: number;
  /** The lower end of the Wilson 95 % interval of `value`. */
  low: number | null;
  /** Its upper end. */
  high: number | null;
  /** What the returns of the eligible amount to, as exact decimal text; absent for a rate. */
  total?: string;
  /** The same for each user who returned. */
  perReturning?: number;
}

/** The pooled figure of one column: Σ count ÷ Σ eligible over the complete cells of cohorts with users. */
export interface PeriodAverage extends Rate {
  /** Periods since the start; of a bracket its first. */
  period: number;
  /** Σ total, as exact decimal text; absent for a rate. */
  total?: string;
  /** Σ total ÷ Σ count. */
  perReturning?: number;
}

/** A question with its metric, which the specification wants said. */
export function asked(question: RetentionQuestion): RetentionQuestion {
  return question?.analysisMetric === undefined ? { ...question, analysisMetric: 'retention_rate' } : question;
}
