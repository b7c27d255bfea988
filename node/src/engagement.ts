/** How often users come, and at what hours. */

import type { AnsweredCondition, AnsweredFilter, Condition, Filter } from './filter.js';
import type { CohortPeriod } from './retention.js';
import type { Quantiles, Range, Rate, Segment, Stamp, Weekday, Window } from './query.js';

/** A part of the answer. */
export type EngagementMetric = 'active_users' | 'stickiness' | 'lifecycle' | 'sessions' | 'heat_map';

/** How often the users of a range are active; a user is active whenever an event that is meant happens. */
export interface EngagementQuestion extends Range {
  /** The parts of the answer; all five by default. */
  metrics?: readonly EngagementMetric[] | null;
  /** The events that are activity; any by default. */
  event?: Condition;
  /** Only events that meet all of these are seen. */
  filters?: readonly Filter[] | null;
  /** The period of lifecycle and stickiness; `daily` by default. */
  period?: CohortPeriod | null;
  /** The first day of weeks; `monday` by default. */
  weekStart?: Weekday | null;
  /** How many events a period needs for stickiness to count it; 1 by default. */
  minEvents?: number | null;
  /** The longest pause within a session; 30 minutes by default. */
  sessionTimeout?: Window | null;
  /** Whose rules the numbers follow; `exact` by default. */
  preset?: 'exact' | 'posthog' | null;
}

/** How often the users of a range are active. */
export interface EngagementAnswer extends Stamp {
  /** Distinct users active in the range. */
  users: number;
  /** Their events in the range that are activity. */
  events: number;
  /** Active users by day, week and month. */
  activeUsers?: ActiveUsers;
  /** On how many days users are active. */
  stickiness?: Stickiness;
  /** New, returning, resurrected and dormant users, period by period. */
  lifecycle?: LifecyclePeriod[];
  /** The sessions that begin in the range. */
  sessions?: Sessions;
  /** Activity by weekday and local hour: 168 cells, in the order of the week. */
  heatMap?: HeatMapHour[];
  /** The period of `lifecycle` and `stickiness`. */
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
  /** The events that are activity; null is any. */
  event: AnsweredCondition;
  /** What every event seen met. */
  filters?: AnsweredFilter[];
  minEvents: number;
  /** In seconds. */
  sessionTimeout: number;
  preset: 'exact' | 'posthog';
  /** Whether stored history begins only at or after the range, so that "new" may be wrong. */
  leftCensored: boolean;
  /** Events without a user, which are nobody's activity. */
  unattributedEvents: number;
}

/** Distinct users active in the range, by the local day, week and month of their activity. */
export interface ActiveUsers {
  daily: ActivePeriod[];
  weekly: ActivePeriod[];
  monthly: ActivePeriod[];
}

/** The users active in one period. */
export interface ActivePeriod {
  /** The first instant of the period. */
  start: string;
  /** The first instant after it. */
  end: string;
  /** Whether the range cuts the period: only the part within the range is counted. */
  partial: boolean;
  /** Whether the period has wholly passed at `asOf`. */
  complete: boolean;
  users: number;
}

/** On how many days users are active, and what share of a month's or a week's users comes a day. */
export interface Stickiness {
  /** Users active in at least one period: the denominator of all rows. */
  users: number;
  /** One row for each possible number of periods, from 1. */
  rows: { periods: number; exactly: Rate; atLeast: Rate }[];
  /** Mean daily users of the last 30 local days that had passed, ÷ the distinct users of those days. */
  dauOverMau: ActivityRatio;
  /** The same for 7 days. */
  dauOverWau: ActivityRatio;
}

/** Mean daily users ÷ the distinct users of the same days. */
export interface ActivityRatio {
  /** `meanDailyUsers / users`, or null where there are no users. */
  value: number | null;
  meanDailyUsers: number;
  users: number;
  days: number;
  start: string;
  end: string;
}

/** The users of one period by what they did before: active = new + returning + resurrected. */
export interface LifecyclePeriod {
  start: string;
  end: string;
  /** Whether the range cuts the period. */
  partial: boolean;
  /** Whether the period has wholly passed at `asOf`. */
  complete: boolean;
  active: number;
  /** Whose first activity ever is in it. */
  new: number;
  /** Active in it and in the one before. */
  returning: number;
  /** Active in it and not in the one before, but earlier. */
  resurrected: number;
  /** Active in the one before and not in it. */
  dormant: number;
}

/** The sessions that begin in the range. */
export interface Sessions {
  count: number;
  /** Users with at least one. */
  users: number;
  perUser: number | null;
  /** Sessions that may still go on. */
  open: number;
  events: number;
  eventsPerSession: Quantiles;
  /** From the first event of a session to its last. */
  seconds: Quantiles;
  /** Sessions of one event, of all sessions. */
  bounces: Rate;
}

/** The activity of one hour of the week, by the clock on the wall. */
export interface HeatMapHour {
  weekday: Weekday;
  /** 0 to 23. */
  hour: number;
  events: number;
  users: number;
}
