/** The words that questions and answers share. */

/** A date or time: ISO 8601 such as `2026-01-31` or `2026-01-31T10:00:00Z`, or a `Date`. A bare date is a local day. */
export type When = string | Date;

/** Which events are meant: a name, several names, or null for any event. */
export type Selector = string | string[] | null;

/** A {@link Selector} as a question may write it. */
export type Given = string | readonly string[] | null | { readonly event: string | readonly string[] | null };

/** A length of elapsed time: seconds, or text such as `30m`, `12h`, `7d`, `2w`. */
export type Window = number | string;

/** The specification's seven sets of users. */
export type Segment = 'all' | 'new' | 'returning' | 'active' | 'inactive' | 'premium' | 'free';

/** The first day of a week. */
export type Weekday = 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday';

/** The peer whose switches stand where none are given; `exact` is ours. */
export type Preset = 'exact' | 'posthog' | 'mixpanel' | 'amplitude' | 'clickhouse';

/** The asked range, and who and what is seen in it. */
export interface Range {
  /** Where the range begins. */
  startDate: When;
  /** Where it ends; a bare date is included whole, an instant is excluded. */
  endDate: When;
  /** The IANA zone of bare dates and calendars; `UTC` by default. */
  timezone?: string | null;
  /** Only these users; all by default. */
  segment?: Segment | null;
  /** Nothing after this instant is seen; now by default. */
  asOf?: When | null;
}

/** `k` of `n`, with the Wilson 95 % interval. */
export interface Rate {
  /** `k / n`, or null where `n` is 0. */
  value: number | null;
  /** How many did. */
  k: number;
  /** Of how many. */
  n: number;
  /** The lower end of the interval. */
  low: number | null;
  /** Its upper end. */
  high: number | null;
  /** Whether `n` is below 30, too few to lean on. */
  small: boolean;
}

/** The distribution of durations, in seconds; every figure is exact. */
export interface Quantiles {
  /** How many durations there are; with none, every other field is null. */
  count: number;
  mean: number | null;
  min: number | null;
  p25: number | null;
  median: number | null;
  p75: number | null;
  p90: number | null;
  p95: number | null;
  max: number | null;
}

/**
 * Some users with all their events: their share, 0.000001 to 1, and a salt, of which another is another sample. The same salt gives the
 * same users in every question, and a smaller share some of those of a larger.
 */
export type SampleQuestion = number | { readonly rate: number; readonly salt?: string | null };

/** Which users were looked at, where not all were. */
export interface Sample {
  /** The share of users. */
  rate: number;
  /** Another salt is another sample. */
  salt: string;
}

/** What a count in a sample says of all users. */
export interface Estimate {
  value: number;
  /** The lower end of the 95 % interval. */
  low: number;
  /** Its upper end. */
  high: number;
}

/** What an answer is and what it was computed from: equal questions over equal data give equal bytes. */
export interface Stamp {
  /** The first 24 hex digits of `resultHash`. */
  _id: string;
  /** The SHA-256, in hex, of everything in the answer but this stamp. */
  resultHash: string;
  /** The version of everything stored: equal for equal contents, however they were loaded. */
  dataVersion: string;
  /** The version of who is who. */
  identityVersion: string;
  /** The version of the time zone database. */
  tzdb: string;
}
