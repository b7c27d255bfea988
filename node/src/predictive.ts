/** What comes after the history of a range. */

import type { ForecastNotes, ModelShare, Score } from './forecast.js';
import type { Range, Segment, Stamp } from './query.js';

/** What is predicted. */
export type PredictionType = 'user_growth' | 'revenue' | 'demand_forecast' | 'churn_rate' | 'feature_adoption';

/** A prediction from the history of a range. */
export interface PredictiveQuestion extends Range {
  predictionType: PredictionType;
  /** The central interval in per cent, 0 to 100; 95 by default. */
  confidenceLevel?: number | null;
  /** How many days (weeks for `churn_rate`) ahead, 1 to 365; a quarter of the history by default, at most 90. */
  horizon?: number | null;
  /** Segments that are predicted beside it, each by itself. */
  segments?: readonly Segment[] | null;
  /** The one feature of `feature_adoption`; every feature of the catalogue by default. */
  feature?: string | null;
  /** The two letters of a country whose holidays count. */
  country?: string | null;
  /** Keeps the prediction under this name, so that what comes can be joined, and learns its intervals from what came before. */
  feedback?: string | null;
}

/** How predictions would have done, from past origins of the history. */
export interface PredictiveBacktestQuestion extends Omit<PredictiveQuestion, 'confidenceLevel' | 'feedback'> {
  /** From how many past origins, 1 to 100; 10 by default. */
  origins?: number | null;
  /** How many days (weeks for `churn_rate`) lie between two origins; the horizon by default. */
  step?: number | null;
}

/** A bucket that is foretold. */
export interface PredictedBucket {
  /** Its first instant. */
  date: string;
  value: number | null;
  lowerBound: number | null;
  upperBound: number | null;
  /** The level of the interval. */
  confidence: number;
}

/** A bucket of the history. */
export interface PastBucket {
  date: string;
  value: number | null;
}

/** What comes after the history of a range. */
export interface PredictiveAnswer extends Stamp {
  predictionType: PredictionType;
  predictions: PredictedBucket[];
  historicalData: PastBucket[];
  /** The version of the method and the first of the models. */
  modelVersion: string;
  confidenceLevel: number;
  startDate: string;
  endDate: string;
  createdAt: string;
  asOf: string;
  horizon: number;
  /** The length of a bucket. */
  period: string;
  timezone: string;
  segment: Segment;
  models: ModelShare[];
  /** How the same forecast would have done from past origins; null where the history is too short to tell. */
  backtest: { origins: number; points: number; model: Score; naive: Score; widened: number } | null;
  notes: ForecastNotes;
  segments?: { segment: Segment; predictions: PredictedBucket[]; historicalData: PastBucket[] }[];
  unattributedEvents: number;
  /** The level at which intervals were computed so that they hold what `confidenceLevel` says; absent where nothing is kept. */
  computedLevel?: number;
  /** The run under which it is kept for feedback. */
  run?: string;
}
