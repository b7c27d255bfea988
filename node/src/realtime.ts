/** What is happening right now. */

import type { Stamp, When } from './query.js';

/** One of the six real-time figures, all over the window `(asOf − w, asOf]`. */
export type Metric =
  'active_users' | 'page_views' | 'events_per_second' | 'conversion_rate' | 'error_rate' | 'revenue_per_minute';

/**
 * A figure, or the events of a name, and the users with one: `events:search`, `users:search`; of a list of the catalogue by
 * `$page_views`, `$conversions`, `$errors`, `$features` or `$revenue`.
 */
export type Measure = Metric | `events:${string}` | `users:${string}`;

/** How long the window is: one of the three, or a length up to `24h`. */
export type TimeRange = 'last_5_minutes' | 'last_15_minutes' | 'last_hour' | `${number}s` | `${number}m` | `${number}h`;

/** Which figures are wanted, and over which window. */
export interface RealtimeQuestion {
  /** Each is answered once and in this order; all six by default. */
  metrics?: readonly Measure[] | null;
  /** How long the window is; the last 15 minutes by default. */
  timeRange?: TimeRange | null;
  /** How often you mean to ask again, in seconds: 5 to 300, 30 by default. It is handed back, no more. */
  refreshInterval?: number | null;
  /** The end of the window, itself inside it; now by default. */
  asOf?: When | null;
}

/** One figure over the window. */
export interface RealtimeMetric extends Stamp {
  /** Which figure it is. */
  metricName: Measure;
  /** The figure; null where its denominator is 0. */
  value: number | null;
  /** The end of the window. */
  timestamp: string;
  /** What the figure rests on. */
  metadata: RealtimeMetadata;
  /** As `timestamp`: an answer is computed, not stored. */
  createdAt: string;
}

/** What a real-time figure rests on. */
export interface RealtimeMetadata {
  /** The window asked for. */
  timeRange: TimeRange;
  /** Its length in seconds. */
  windowSeconds: number;
  /** What the value counts, for example `users` or `events/s`. */
  unit: string;
  /** How often you mean to ask again, in seconds. */
  refreshInterval: number;
  /** For a share: how many. */
  k?: number;
  /** For a share: of how many. */
  n?: number;
  /** For a share: the lower end of the Wilson 95 % interval. */
  low?: number | null;
  /** For a share: its upper end. */
  high?: number | null;
  /** For a share: whether `n` is below 30, too few to lean on. */
  small?: boolean;
  /** For revenue: the value as exact decimal text, rounded half to even to six digits. */
  exact?: string;
  /** For revenue: the currency of the value. */
  baseCurrency?: string;
  /** The figure of the window before this one. */
  previous: number | null;
  /** By how much of `previous` the value differs from it; null where there is none or it is 0. */
  change: number | null;
  /** The same figure for each equal part of the window, in order. */
  series: RealtimePoint[];
  /** Whether the figure is as it usually is; absent for an instant of the past, and where nothing keeps it up (`judgeRealtime`). */
  anomaly?: RealtimeAnomaly;
  /** Events in the window without a user: in counts of events, never in counts of users. */
  unattributedEvents: number;
}

/** Whether a figure is as it usually is at its hour of the week. */
export interface RealtimeAnomaly {
  /** Whether it is; `learning` takes two weeks, and of `too_few` nothing can be told. */
  status: 'learning' | 'too_few' | 'normal' | 'unusual';
  /** The start of the last bucket that was looked at, which was complete. */
  at: string;
  /** How long a bucket is, in seconds: a minute for windows up to 5 minutes, 5 for those up to 15, and 15 for longer ones. */
  step: number;
  /** What was expected of that bucket; null while it is not known. */
  expected: number | null;
  /** The 95 % interval of that; null where the figure never varies. */
  interval: { low: number; high: number } | null;
  /** How bad it is at its worst, where it is unusual. */
  severity?: 'minor' | 'major' | 'critical';
  /** Which way, where it is unusual. */
  direction?: 'up' | 'down';
  /** The start of the first bucket that deviates, where it is unusual. */
  since?: string;
}

/** The figure of one part of the window: `(start, start + length]`. */
export interface RealtimePoint {
  /** Where the part begins. */
  start: string;
  /** The figure; null where its denominator is 0. */
  value: number | null;
}
