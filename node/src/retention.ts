/** Who comes back, by the period in which they started. */

import type { Given, Range, Rate, Segment, Selector, Stamp, Weekday } from './query.js';

/** The calendar period of cohorts and columns. */
export type CohortPeriod = 'daily' | 'weekly' | 'monthly';

/** When a user joins a cohort: once, at the first start ever; or in every period with a start. */
export type RetentionMode = 'first_time' | 'recurring';

/** A table of users by the period in which they started, and the share that came back in each later period. */
export interface RetentionQuestion extends Range {
  /** The calendar period of cohorts and columns. */
  cohortPeriod: CohortPeriod;
  /** The figure in the cells; `retention_rate` by default. */
  analysisMetric?: 'retention_rate';
  /** The event that starts a user; any by default. */
  start?: Given;
  /** The event that brings a user back; any by default. */
  return?: Given;
  /** When a user joins a cohort; `first_time` by default. */
  mode?: RetentionMode | null;
  /** The first day of weeks; `monday` by default. */
  weekStart?: Weekday | null;
  /** How many periods after the first to show; all that have begun by default. */
  periods?: number | null;
}

/** Cohorts, and the share of each that came back, period by period. */
export interface RetentionAnswer extends Stamp {
  /** The period of cohorts and columns. */
  cohortPeriod: CohortPeriod;
  /** The figure in the cells. */
  analysisMetric: 'retention_rate';
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
  start: Selector;
  /** The event that brings a user back. */
  return: Selector;
  /** Whether stored history begins only at or after the range, so that "first time" may be wrong. */
  leftCensored: boolean;
  /** Events without a user, which no cohort counts. */
  unattributedEvents: number;
  /** The rules the numbers follow. */
  preset: string;
  /** How cells count: a return within exactly that period. */
  criterion: string;
}

/** The users who started in one period. */
export interface Cohort {
  /** The first instant of the period. */
  period: string;
  /** How many users. */
  size: number;
  /** Whether the range cuts the period. */
  partial: boolean;
  /** Users with a return event in the period of their start that is not the start itself. */
  returnedInStartPeriod: number;
  /** One cell a period that has begun by `asOf`. */
  retention: Cell[];
}

/** One cell of the table. */
export interface Cell {
  /** Periods since the start. */
  period: number;
  /** `count / eligible`, or null where nobody is eligible; 1 for period 0 of a cohort with users. */
  value: number | null;
  /** Users who returned, of those eligible; the cohort's size for period 0. */
  count: number;
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
}

/** The pooled figure of one column: Σ count ÷ Σ eligible over the complete cells of cohorts with users. */
export interface PeriodAverage extends Rate {
  /** Periods since the start. */
  period: number;
}

/** A question with its metric: the specification wants it said, but there is one so far. */
export function asked(question: RetentionQuestion): RetentionQuestion {
  return question?.analysisMetric === undefined ? { ...question, analysisMetric: 'retention_rate' } : question;
}
