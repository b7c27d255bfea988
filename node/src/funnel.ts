/** How far the users of a range get through a series of steps. */

import type { AnsweredFilter, Condition, Filter, Property } from './filter.js';
import type { CohortPeriod } from './retention.js';
import type {
  Estimate,
  Preset,
  Quantiles,
  Range,
  Rate,
  Sample,
  SampleQuestion,
  Segment,
  Selector,
  Stamp,
  Weekday,
  Window,
} from './query.js';

/** A step: the events it means, and how it stands to the one before. */
export type FunnelStepQuestion =
  | Condition
  | {
      /** The names of its events; any without. */
      readonly event?: string | readonly string[] | null;
      /** What their properties say; all must be met. */
      readonly where?: readonly Filter[];
      /** Whether a chain may go without it; false by default. */
      readonly optional?: boolean | null;
      /** The least time since the row before it in the chain. */
      readonly minGap?: Window | null;
      /** The most time since that row. */
      readonly maxGap?: Window | null;
    };

/** Events that may not come between two steps; between the first and the last by default. */
export type Exclusion =
  | Condition
  | {
      /** The names of the events; any without. */
      readonly event?: string | readonly string[] | null;
      /** What their properties say; all must be met. */
      readonly where?: readonly Filter[];
      /** Behind which step, from 1. */
      readonly from?: number | null;
      /** Before which step. */
      readonly to?: number | null;
    };

/** By which properties a funnel is broken down, and at which of a chain's events they are read. */
export type Breakdown =
  | Property
  | readonly Property[]
  | {
      /** One property, or several. */
      readonly property: Property | readonly Property[];
      /** The event whose value counts: of the entry by default, of a step, of the last or first step with one, or of each. */
      readonly by?: 'entry' | 'step' | 'last' | 'first' | 'each' | null;
      /** The step, from 1, where `by` is `step`. */
      readonly step?: number | null;
      /** The most groups shown, 1 to 1,000; 25 by default. The rest is Other. */
      readonly limit?: number | null;
    };

/** An ordered funnel: users who did step 1 within the range, and how far each got inside the conversion window. */
export interface FunnelQuestion extends Omit<Range, 'segment'> {
  /** 1 to 64 steps, equal ones need distinct events; the catalogue's default funnel where it is absent. */
  steps?: readonly FunnelStepQuestion[] | null;
  /** Elapsed time from the first step to the last, both ends included; 14 days by default. */
  window?: Window | null;
  /** In its place, the local days that a chain may touch. */
  windowCalendarDays?: number | null;
  /** Only these users, or those of a cohort; all by default. */
  segment?: Segment | { readonly cohort: string } | null;
  /** Only events that meet all of these are seen. */
  filters?: readonly Filter[] | null;
  /** How steps are ordered: each behind the one before, with nothing between, or in any order; `ordered` by default. */
  order?: 'ordered' | 'strict' | 'any' | null;
  /** Whether in any order the first step must come first. */
  anchorFirst?: boolean | null;
  /** What breaks a strict order: all events, or all but these. */
  universe?: 'all' | { readonly except: readonly string[] } | null;
  /** How much earlier a later step may be stamped; 0 by default. */
  grace?: Window | null;
  /** Whether the range selects entries, as by default, or all steps. */
  range?: 'entry' | 'all_steps' | null;
  /** Events that may not come between steps. */
  exclusions?: readonly Exclusion[] | null;
  /** Whether such an event ends the chain, as by default, or takes the user out. */
  exclusionMode?: 'kill_chain' | 'remove_user' | null;
  /** The properties whose values all events of a chain share. */
  holdConstant?: Property | readonly Property[] | null;
  /** What is counted; `users` by default. */
  unit?: 'users' | 'sessions' | 'totals' | null;
  /** What an attempt is, where totals are counted. */
  totals?: 'attempts' | 'every_entry' | null;
  /** The longest pause within a session, where sessions are counted. */
  sessionTimeout?: Window | null;
  /** Which of equally deep chains is reported; the earliest by default. */
  entry?: 'earliest' | 'latest' | null;
  /** Which first steps may begin a chain; every one by default. */
  entries?: 'every' | 'first' | null;
  /** By which properties it is broken down. */
  breakdown?: Breakdown | null;
  /** By which period entries are counted. */
  trend?: CohortPeriod | null;
  /** The first day of weeks, where the trend is weekly; `monday` by default. */
  weekStart?: Weekday | null;
  /** Whose times are measured: the converters', as by default, or those of all who reached a step. */
  timed?: 'converters' | 'reached' | null;
  /** Into how many bins the times to convert are counted. */
  histogramBins?: number | null;
  /** Whether the chains' events are summed up in money; false by default. */
  revenue?: boolean | null;
  /** The rules that the switches are set by; `exact` by default. */
  preset?: Preset | null;
  /** Whether equal times do not count as "after"; false by default. */
  strictIncrease?: boolean | null;
  /** The pair of steps, counted from 1, that `timeToConvert` measures; first to last by default. */
  timeBetween?: readonly [from: number, to: number] | null;
  /** Looks at a sample of the users only, and estimates from it; at all by default. */
  sample?: SampleQuestion | null;
}

/** How far the users of a funnel got. */
export interface FunnelAnswer extends Stamp {
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
  /** Where the units are no users, the distinct users behind them. */
  users?: { entered: number; converted: number };
  /** The seconds by which half have converted (Kaplan and Meier); null where fewer than half do. */
  kaplanMeierMedian: number | null;
  /** What the chains' events are worth in the base currency, as decimal text, where that was asked for. */
  revenue?: FunnelRevenue;
  /** By property, where that was asked for. */
  breakdown?: { properties: Property[]; by: string | { step: number }; groups: FunnelGroup[] };
  /** By the time of the entry, where that was asked for. */
  trend?: { period: string; weekStart: string; buckets: FunnelBucket[] };
  /** What may not come between steps. */
  exclusions?: { event: Selector; where?: AnsweredFilter[]; from: number; to: number }[];
  /** What all events seen say. */
  filters?: AnsweredFilter[];
  /** The properties whose values all events of a chain share. */
  holdConstant?: Property[];
  /** The name of the rules the numbers follow. */
  preset: string;
  /** How each switch of the preset stands. */
  switches: FunnelSwitches;
  /** What whoever reads the numbers should know: `tight_window` where a longer one would have had more converters. */
  warnings?: 'tight_window'[];
  /** Which users were looked at, where not all were. */
  sample?: Sample;
}

/** One step of a funnel. */
export interface FunnelStep {
  /** Its number, from 1. */
  step: number;
  /** The events it means. */
  event: Selector;
  /** What their properties say. */
  where?: AnsweredFilter[];
  /** Whether a chain may go without it. */
  optional?: boolean;
  /** The least time since the row before it in the chain, in seconds. */
  minGap?: number;
  /** The most time since that row. */
  maxGap?: number;
  /** Users who got at least this far. */
  count: number;
  /** What `count` says of all users, where they are sampled. */
  estimate?: Estimate;
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
  /** How many times lie in each bin, where bins were asked for. */
  histogram?: { from: number; to: number; count: number }[];
}

/** What the events of reported chains are worth, as decimal text. */
export interface FunnelRevenue {
  /** Of all chains. */
  total: string | number;
  /** Of those that converted. */
  converted: string | number;
}

/** One bucket of entries. */
export interface FunnelBucket {
  /** Its first instant. */
  start: string;
  /** The first instant after it. */
  end: string;
  /** Whether the range cuts it. */
  partial: boolean;
  entered: number;
  converted: number;
  open: number;
  rate: Rate;
  /** Units that reached each step. */
  counts: number[];
  /** What `counts` say of all users, where they are sampled. */
  estimates?: Estimate[];
}

/** The funnel of one group of a breakdown. */
export interface FunnelGroup {
  /** What it is of. */
  kind: 'value' | 'not_set' | 'empty' | 'other';
  /** The value; of several properties a list; null where there is none. */
  value: unknown;
  /** The value as people read it. */
  label: string;
  entered: number;
  converted: number;
  open: number;
  rate: Rate;
  matured: Matured;
  steps: Pick<
    FunnelStep,
    'step' | 'count' | 'estimate' | 'rate' | 'rateFromPrevious' | 'dropped' | 'timeFromPrevious'
  >[];
  timeToConvert: Quantiles;
  revenue?: FunnelRevenue;
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
  /** Which first steps may begin a chain. */
  entries: string;
  /** What the range selects. */
  range: string;
  /** In the place of the window, the local days a chain may touch. */
  windowCalendarDays: number | null;
  /** Whose times are measured. */
  timed: string;
  /** Whether in any order the first step must come first. */
  anchorFirst: boolean;
  /** What breaks a strict order; null in any other. */
  universe: 'all' | { except: string[] } | null;
  /** What an excluded event does. */
  exclusionMode: string;
  /** What is counted. */
  unit: string;
  /** What an attempt is; null unless totals are counted. */
  totals: string | null;
  /** The longest pause within a session, in seconds; null unless sessions are counted. */
  sessionTimeout: number | null;
}
