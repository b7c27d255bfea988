/** How far the users of a range get through a series of steps. */

import type { Given, Quantiles, Range, Rate, Segment, Selector, Window } from './query.js';

/** An ordered funnel: users who did step 1 within the range, and how far each got inside the conversion window. */
export interface FunnelQuestion extends Range {
  /** 1 to 64 steps, equal ones need distinct events; the catalogue's default funnel where it is absent. */
  steps?: readonly Given[] | null;
  /** Elapsed time from the first step to the last, both ends included; 14 days by default. */
  window?: Window | null;
  /** Whether equal times do not count as "after"; false by default. */
  strictIncrease?: boolean | null;
  /** The pair of steps, counted from 1, that `timeToConvert` measures; first to last by default. */
  timeBetween?: readonly [from: number, to: number] | null;
}

/** How far the users of a funnel got. */
export interface FunnelAnswer {
  /** The first 24 hex digits of the SHA-256 of the rest: the same question over the same data has the same. */
  _id: string;
  /** The steps in order. */
  steps: FunnelStep[];
  /** Users with a first step within the range. */
  entered: number;
  /** Users who did all steps. */
  converted: number;
  /** Users who did not convert but still can: an entry whose window ends after `asOf`. */
  open: number;
  /** Converted of entered. */
  rate: Rate;
  /** The same funnel over entries whose whole window has passed at `asOf`. */
  matured: Matured;
  /** From one step to another of the converters' reported chains, in seconds. */
  timeToConvert: TimeToConvert;
  /** Events without a user, which no funnel counts. */
  unattributedEvents: number;
  /** The conversion window, in seconds. */
  window: number;
  /** The first instant of the range. */
  startDate: string;
  /** The first instant after the range. */
  endDate: string;
  /** The zone of the range. */
  timezone: string;
  /** The users counted. */
  segment: Segment;
  /** Nothing after this instant was seen. */
  asOf: string;
  /** The rules the numbers follow. */
  preset: string;
  /** How each switch of the preset stands. */
  switches: FunnelSwitches;
  /** The version of the time zone database. */
  tzdb: string;
}

/** One step of a funnel. */
export interface FunnelStep {
  /** Its number, from 1. */
  step: number;
  /** The events it means. */
  event: Selector;
  /** Users who got at least this far. */
  count: number;
  /** Of those who entered. */
  rate: Rate;
  /** Of those who got to the step before. */
  rateFromPrevious: Rate;
  /** Users who stopped here; for the last step 0. */
  dropped: number;
  /** Converters' time since the step before; all null for the first. */
  timeFromPrevious: Quantiles;
  /** Converters' time since the first step; all null for the first. */
  timeFromEntry: Quantiles;
}

/** The part of a funnel whose entries can no longer change by waiting. */
export interface Matured {
  /** Users with a first step within the range and at or before `asOf` − window. */
  entered: number;
  /** Those of them who converted from such an entry. */
  converted: number;
  /** Converted of entered. */
  rate: Rate;
}

/** The time between two steps for converters. */
export interface TimeToConvert extends Quantiles {
  /** The earlier step, from 1. */
  fromStep: number;
  /** The later step. */
  toStep: number;
}

/** The switches that presets set. */
export interface FunnelSwitches {
  /** How steps are ordered. */
  order: string;
  /** How much earlier a later step may be stamped, in seconds. */
  grace: number;
  /** Whether equal times do not count as "after". */
  strictIncrease: boolean;
  /** Which of equally deep chains is reported. */
  entry: string;
}
