/** Models trained elsewhere, and what became of what was foretold. */

import type { Rate } from './query.js';

/** A model to be registered. */
export interface NewModel {
  /** Its name, without `@` and `/`; a name that is there already gets its next version. */
  name: string;
  description?: string | null;
  /** Its format; the bytes tell it by default. */
  format?: 'onnx' | 'xgboost' | 'lightgbm' | null;
  /** The names of its features, in their order. */
  features?: readonly string[] | null;
  /** The names of its classes, in their order. */
  classes?: readonly string[] | null;
}

/** A version of a model. */
export interface Model {
  _id: string;
  name: string;
  version: number;
  description: string;
  /** The SHA-256 of its file. */
  hash: string;
  bytes: number;
  format: 'onnx' | 'xgboost' | 'lightgbm';
  task: 'regression' | 'classification' | 'transformation';
  objective: string;
  features: { name: string; kind: 'number' | 'text'; categories?: (string | number)[] }[];
  outputs: string[];
  classes: string[];
  size: { trees: number; nodes: number; operators: number };
  ownerId: string;
  createdAt: string;
}

/** One page of models. */
export interface Models {
  models: Model[];
  total: number;
  limit: number;
  offset: number;
  hasMore: boolean;
}

/** Rows or users to be scored. */
export interface ScoreQuestion {
  /** The model's name, `name@version` or id. */
  model: string;
  /** Columns by name, or a list of objects. */
  rows?: Record<string, readonly unknown[]> | readonly object[] | null;
  /** Instead of rows, users of this store: `activity`, `asOf`, `horizonDays`, `segment`, `users` as in a question of churn. */
  users?: object | null;
  /** The ids of the rows, by which what comes is joined. */
  ids?: readonly (string | number)[] | null;
  /** When it will be known what came. */
  ds?: string | null;
  /** A name under which the scores are kept, with the features. */
  feedback?: string | null;
}

/** What a model says. */
export interface Scores {
  model: string;
  hash: string;
  ids?: string[];
  /** Columns by name: `label` and `probability_…`, or `prediction`. */
  predictions: Record<string, (number | string | null)[]>;
  run?: string;
}

/** What is asked of feedback. */
export interface FeedbackQuestion {
  name: string;
  uniqueId?: string | null;
  runs?: number | null;
  /** Whether every point is told, with the features beside it. */
  rows?: boolean | null;
  asOf?: string | null;
}

/** How good what was foretold was. */
export interface FeedbackScores {
  n: number;
  /** The mean error, forecast less value: above 0, too much was expected. */
  bias: number | null;
  /** The mean absolute error. */
  mae: number | null;
  /** The sum of absolute errors over the sum of absolute values. */
  wape: number | null;
  /** The mean absolute error over the mean change of the history from one period to the next. */
  mase: number | null;
  /** The mean pinball loss over the quantiles that were kept. */
  pinball: number | null;
  coverage: { level: number; held: Rate }[];
}

/** What became of what was foretold. */
export interface Feedback {
  name: string;
  runs: number;
  madeAt: [string, string] | null;
  models: string[];
  measure: 'number' | 'probability';
  waiting: number;
  restated: number;
  scores: FeedbackScores;
  byHorizon: ({ h: number } & FeedbackScores)[];
  probabilities: {
    /** How many of them came. */
    came: Rate;
    mean: number;
    brier: number;
    logLoss: number;
    calibrationError: number;
    auc: number | null;
  } | null;
  drift: { ratio: number; features: { feature: string; psi: number }[] } & Record<string, unknown>;
  advice: { refit: boolean; reasons: string[] };
  adapted: { level: number; used: number; times: number }[];
  rows?: Record<string, unknown>;
  asOf: string;
}

/** A name under which something is kept. */
export interface FeedbackLog {
  name: string;
  runs: number;
  latestAt: string;
}

/** What came. */
export interface Actuals {
  uniqueId?: readonly (string | number)[] | null;
  ds?: readonly (string | number)[] | null;
  y: readonly (number | boolean)[];
}

/** Predictions made elsewhere. */
export interface OutsidePredictions {
  model: string;
  measure?: 'number' | 'probability' | null;
  uniqueId?: readonly (string | number)[] | null;
  ds?: readonly (string | number)[] | null;
  mean: readonly number[];
  lower?: readonly number[] | null;
  upper?: readonly number[] | null;
  level?: number | null;
}
