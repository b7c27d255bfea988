/** Which features users take up, and how soon. */

import type { AnsweredCondition, AnsweredFilter, Filter } from './filter.js';
import type { CohortPeriod } from './retention.js';
import type { Given, Quantiles, Range, Rate, Segment, Stamp, Weekday, When, Window } from './query.js';

/** A feature: the name of the events that are its uses, or more than that. */
export type Feature =
  | string
  | {
      /** Its name; that of its event by default. */
      readonly name?: string;
      /** The events that are its uses; those of its name by default. */
      readonly event?: Given;
      /** What its uses say; all must be met. */
      readonly where?: readonly Filter[];
      /** When it was released: nobody is exposed to it before, and nothing before is a use. */
      readonly released?: When | null;
    };

/** Which features the users of a range take up. */
export interface AdoptionQuestion extends Range {
  /** The features; the catalogue's by default. */
  features?: readonly Feature[] | null;
  /** The time from exposure in which the uses must be; 30 days by default. */
  within?: Window | null;
  /** How many uses make an adopter; 1 by default. */
  minUses?: number | null;
  /** Only events that meet all of these are seen. */
  filters?: readonly Filter[] | null;
  /** The period by which first uses are counted; `weekly` by default. */
  period?: CohortPeriod | null;
  /** The first day of weeks; `monday` by default. */
  weekStart?: Weekday | null;
  /** From how many uses on each column of the breadth table counts; 1, 2, 5, 10, 20 by default. */
  frequencies?: readonly number[] | null;
}

/** Which features the users of a range take up, and how soon. */
export interface AdoptionAnswer extends Stamp {
  /** Each feature, in the order of the question. */
  features: FeatureAdoption[];
  /** Distinct users active in the range. */
  activeUsers: number;
  /** How many features they use in the range, and how often. */
  breadth: Breadth;
  minUses: number;
  /** In seconds. */
  within: number;
  /** The period of first uses. */
  period: CohortPeriod;
  segment: Segment;
  /** The first instant of the range. */
  startDate: string;
  /** The first instant after the range. */
  endDate: string;
  /** Nothing after this instant was seen. */
  asOf: string;
  timezone: string;
  weekStart: Weekday;
  /** What every event seen met. */
  filters?: AnsweredFilter[];
  preset: string;
  /** Whether stored history begins only at or after the range, so that users may have been seen before. */
  leftCensored: boolean;
  /** Events without a user, which nobody uses anything by. */
  unattributedEvents: number;
}

/** How a feature is taken up. */
export interface FeatureAdoption {
  feature: string;
  /** The events that are uses of it. */
  event: AnsweredCondition;
  released: string | null;
  /** Users active in the range and by then exposed: their first event ever or the release, whichever is later. */
  exposed: number;
  /** Of those, who used it often enough in time. */
  adopters: number;
  /** `adopters / exposed`. */
  rate: Rate;
  /** Exposed users who have not adopted it but still can. */
  open: number;
  /** The same of users whose time to adopt has passed. */
  matured: { exposed: number; adopters: number; rate: Rate };
  /** Users with a use in the range. */
  users: number;
  /** Uses in the range. */
  uses: number;
  usesPerUser: number | null;
  /** Seconds from exposure to adoption, of adopters. */
  timeToAdopt: Quantiles;
  /** Seconds by which half of the exposed have adopted (Kaplan–Meier); null where fewer than half do. */
  kaplanMeierMedian: number | null;
  /** By period of the range, the users whose first use ever lies in it. */
  firstUses: FirstUses[];
}

/** The users whose first use ever lies in one period. */
export interface FirstUses {
  start: string;
  end: string;
  partial: boolean;
  complete: boolean;
  users: number;
}

/** The active users by how many features they use and how often. */
export interface Breadth {
  /** Active users without any use. */
  unused: number;
  /** One row for each possible number of features, from 1. */
  rows: BreadthRow[];
}

/** The users of so many features. */
export interface BreadthRow {
  features: number;
  users: number;
  /** By how often: `from` uses and more, but fewer than `until`. */
  cells: { from: number; until: number | null; users: number }[];
}
