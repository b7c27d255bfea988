/** Who is about to go away, what users will be worth, and what they will do next. */

import type { Property } from './filter.js';
import type { Given, Rate, Segment, Selector, Stamp, When } from './query.js';

/** Events, with what their properties say. */
export type Activity = Given | { readonly event?: Given; readonly where: readonly object[] };

/** Which users are about to go away. */
export interface ChurnQuestion {
  /** A user churns who has no activity in so many days from `asOf` on; 30 by default. */
  horizonDays?: number | null;
  /** The events that are activity; all by default. */
  activity?: Activity | null;
  /** Only users active in so many days before count; all known ones by default. */
  activeWithinDays?: number | null;
  /**
   * What events, or profiles and cohorts `at_event`, say of users that may tell who goes, at most 8. Trees decide where they lose less
   * than the regression.
   */
  attributes?: readonly Property[] | null;
  /** Only users of this segment are listed. */
  segment?: Segment | null;
  /** Only these users are listed. */
  users?: readonly string[] | null;
  /** How many next actions are told of each user listed, 0 to 10; none by default. */
  nextActions?: number | null;
  /** The level of intervals in per cent; 95 by default. */
  confidenceLevel?: number | null;
  /** At most so many users, 0 to 10,000; 100 by default. */
  limit?: number | null;
  offset?: number | null;
  /** Only what happened strictly before it is used; now by default. */
  asOf?: When | null;
}

/** A user's risk. */
export interface Risk {
  userId: string;
  anonymous: boolean;
  probability: number;
  low: number;
  high: number;
  expectedActiveDays: number | null;
  activeDays: number;
  daysSinceActive: number;
  daysKnown: number;
  /** Why, the strongest first. */
  reasons: { reason: string; effect: number; text: string; [more: string]: unknown }[];
  /** What the user would do next, the likeliest first, where asked for. */
  nextActions?: { event: string; probability: number }[];
}

/** The parameters of a BG/NBD model, time in days. */
export interface Visits {
  r: number;
  alpha: number;
  a: number;
  b: number;
}

/** Which users are about to go away, how sure that is, and why. */
export interface ChurnAnswer extends Stamp {
  summary: {
    users: number;
    expectedChurners: number;
    averageProbability: number | null;
    averageLogOdds: number | null;
    bins: { from: number; to: number; users: number }[];
  };
  /** Those with the highest risk first. */
  users: Risk[];
  total: number;
  offset: number;
  hasMore: boolean;
  /** How good such probabilities have been; null where history is too short to tell. */
  quality: {
    cutOff: string;
    churned: Rate;
    auc: { value: number; low: number; high: number } | null;
    brier: number;
    brierOfBaseRate: number;
    logLoss: number;
    calibrationError: number;
    liftAtTenPercent: number | null;
    calibration: { from: number; to: number; predicted: number; observed: Rate }[];
  } | null;
  method: string;
  /** What gave the next actions, `markov` or `boosting`, where they were asked for. */
  nextActionMethod?: 'markov' | 'boosting';
  learnedAt: { cutOff: string; churned: Rate }[];
  visits: Visits | null;
  horizonDays: number;
  activity: Selector | object;
  activeWithinDays: number | null;
  /** What is said of users that was looked at too. */
  attributes?: Property[];
  segment: Segment;
  confidenceLevel: number;
  asOf: string;
}

/** What customers will be worth. */
export interface ValueQuestion {
  /** How many days from `asOf` on; 365 by default. */
  horizonDays?: number | null;
  /** The events that are purchases; the catalogue's events with money by default. */
  activity?: Activity | null;
  segment?: Segment | null;
  users?: readonly string[] | null;
  limit?: number | null;
  offset?: number | null;
  asOf?: When | null;
}

/** What a user is expected to be worth. */
export interface Worth {
  userId: string;
  anonymous: boolean;
  expectedValue: number | null;
  expectedPurchases: number;
  valuePerPurchase: number | null;
  probabilityAlive: number;
  purchases: number;
  value: number;
  daysSincePurchase: number;
}

/** How often customers are expected to buy, and for how much. */
export interface ValueAnswer extends Stamp {
  summary: { users: number; expectedPurchases: number; expectedValue: number | null };
  /** Those of the highest expected value first. */
  users: Worth[];
  total: number;
  offset: number;
  hasMore: boolean;
  /** What was foretold a horizon ago, and what came. */
  quality: {
    cutOff: string;
    users: number;
    expectedPurchases: number;
    purchases: number;
    expectedValue: number;
    value: number;
    meanAbsoluteError: number;
    shareOfTopTenPercent: number | null;
  } | null;
  visits: Visits;
  amounts: { p: number; q: number; gamma: number } | null;
  horizonDays: number;
  activity: Selector | object;
  segment: Segment;
  currency: string;
  asOf: string;
}

/** What users will do next. */
export interface NextActionQuestion {
  /** Whose next actions are told one by one; nobody by default. */
  users?: readonly string[] | null;
  /** The events that are actions; all by default. */
  activity?: Activity | null;
  segment?: Segment | null;
  /** How many of a user's last actions are looked at, at most; 3 by default. */
  order?: number | null;
  /** How many actions are told, the likeliest first; 10 by default. */
  top?: number | null;
  asOf?: When | null;
}

/** How good chances were. */
export interface NextActionScore {
  /** How often the action that came was the likeliest one. */
  topOne: Rate;
  /** How often it was one of the three likeliest. */
  topThree: Rate;
  /** The mean of minus the logarithm of the chance given to it. */
  logLoss: number;
}

/** What users will do next. */
export interface NextActionAnswer extends Stamp {
  actions: { event: string; probability: number; expectedUsers: number }[];
  segmentUsers: number;
  users: {
    userId: string;
    after: string[];
    seen: number;
    next: { event: string; probability: number; low: number; high: number }[];
  }[];
  /** How good chains of each order were, action by action. */
  quality: object | null;
  /** What gave the chances: a chain of the last actions, or trees that mend them where they lost less in the backtest. */
  method: 'markov' | 'boosting';
  /** How good both were for what users did next from instants in the past; null where there is too little to tell. */
  backtest: { splitAt: string; actions: number; markov: NextActionScore; boosting: NextActionScore } | null;
  order: number;
  activity: Selector | object;
  segment: Segment;
  asOf: string;
}
