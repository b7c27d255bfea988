/** Every word with its question, its answer and the cells of its answer. */

import type { AdoptionAnswer, AdoptionQuestion } from './adoption.js';
import type { AnomaliesAnswer, AnomaliesQuestion, DetectAnswer, DetectColumns } from './anomaly.js';
import type {
  AdoptionCell,
  ChurnCell,
  CompareCell,
  DifferenceCell,
  DropOffCell,
  EngagementCell,
  FunnelCell,
  JourneyCell,
  RetentionCell,
} from './cell.js';
import type {
  CompareQuestion,
  Comparison,
  DifferenceQuestion,
  DropOffAnswer,
  DropOffQuestion,
  Explanation,
} from './difference.js';
import type { EngagementAnswer, EngagementQuestion } from './engagement.js';
import type {
  ChurnAnswer,
  ChurnQuestion,
  NextActionAnswer,
  NextActionQuestion,
  ValueAnswer,
  ValueQuestion,
} from './churn.js';
import type { BacktestAnswer, BacktestColumns, ForecastAnswer, ForecastColumns } from './forecast.js';
import type { FunnelAnswer, FunnelQuestion } from './funnel.js';
import type { Insight, UserInsightsQuestion } from './insight.js';
import type { JourneyAnswer, JourneyQuestion } from './journey.js';
import type { Feedback, FeedbackQuestion, Scores, ScoreQuestion } from './model.js';
import type { PickupAnswer, PickupCell, PickupQuestion } from './pickup.js';
import type { PredictiveAnswer, PredictiveQuestion } from './predictive.js';
import type { RealtimeMetric, RealtimeQuestion } from './realtime.js';
import type { RetentionAnswer, RetentionQuestion } from './retention.js';

/** What each word is asked and answers; `cell` is never where there are no users behind its numbers. */
export interface Words {
  funnel: { question: FunnelQuestion; answer: FunnelAnswer; cell: FunnelCell };
  drop_off: { question: DropOffQuestion; answer: DropOffAnswer; cell: DropOffCell };
  compare: { question: CompareQuestion; answer: Comparison; cell: CompareCell };
  explain_difference: { question: DifferenceQuestion; answer: Explanation; cell: DifferenceCell };
  retention: { question: RetentionQuestion; answer: RetentionAnswer; cell: RetentionCell };
  journey: { question: JourneyQuestion; answer: JourneyAnswer; cell: JourneyCell };
  engagement: { question: EngagementQuestion; answer: EngagementAnswer; cell: EngagementCell };
  adoption: { question: AdoptionQuestion; answer: AdoptionAnswer; cell: AdoptionCell };
  realtime: { question: RealtimeQuestion; answer: RealtimeMetric[]; cell: never };
  user_insights: { question: UserInsightsQuestion; answer: Insight[]; cell: never };
  churn: { question: ChurnQuestion; answer: ChurnAnswer; cell: ChurnCell };
  value: { question: ValueQuestion; answer: ValueAnswer; cell: never };
  next_action: { question: NextActionQuestion; answer: NextActionAnswer; cell: never };
  predictive: { question: PredictiveQuestion; answer: PredictiveAnswer; cell: never };
  score: { question: ScoreQuestion; answer: Scores; cell: never };
  feedback: { question: FeedbackQuestion; answer: Feedback; cell: never };
  forecast: { question: ForecastColumns; answer: ForecastAnswer; cell: never };
  backtest: { question: BacktestColumns; answer: BacktestAnswer; cell: never };
  pickup: { question: PickupQuestion; answer: PickupAnswer; cell: PickupCell };
  anomalies: { question: AnomaliesQuestion; answer: AnomaliesAnswer; cell: never };
  detect_anomalies: { question: DetectColumns; answer: DetectAnswer; cell: never };
}

/** A word. */
export type Word = keyof Words;

/** A word whose numbers have users behind them. */
export type CountingWord = { [W in Word]: Words[W]['cell'] extends never ? never : W }[Word];

/** A question of any word: what `word` is decides what `question` is. */
export type Question = { [W in Word]: { readonly word: W; readonly question: Words[W]['question'] } }[Word];

/** The number of any answer: what `word` is decides what `question` and `cell` are. */
export type Counted = {
  [W in CountingWord]: {
    readonly word: W;
    readonly question: Words[W]['question'];
    readonly cell: Words[W]['cell'];
  };
}[CountingWord];
