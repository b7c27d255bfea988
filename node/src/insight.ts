/** What the numbers say about how users behave, in words. */

import type { AdoptionAnswer } from './adoption.js';
import type { DropOffAnswer } from './difference.js';
import type { EngagementAnswer } from './engagement.js';
import type { FunnelAnswer, FunnelQuestion } from './funnel.js';
import type { JourneyAnswer } from './journey.js';
import type { Segment, Stamp } from './query.js';

/** A kind of insight. */
export type InsightType =
  'engagement_patterns' | 'conversion_funnel' | 'drop_off_points' | 'feature_adoption' | 'user_journeys';

/** What stands out in how users behave over a range; the funnel's own fields say which funnel is looked at. */
export interface UserInsightsQuestion extends FunnelQuestion {
  /** The only kind wanted; every available kind by default. */
  insightType?: InsightType | null;
  /** At most so many insights, 1 to 100; 20 by default. */
  limit?: number | null;
}

/** The figures behind each kind of insight. */
export interface InsightData {
  engagement_patterns: EngagementAnswer;
  conversion_funnel: FunnelAnswer;
  drop_off_points: DropOffAnswer;
  feature_adoption: AdoptionAnswer;
  user_journeys: JourneyAnswer;
}

/** One insight: what its `insightType` is decides what its `data` are. */
export type Insight = { [T in InsightType]: InsightOf<T> }[InsightType];

/** An insight of one kind. */
export interface InsightOf<T extends InsightType> extends Stamp {
  /** What kind of insight it is. */
  insightType: T;
  /** What it is about. */
  title: string;
  /** What it says, in sentences. */
  description: string;
  /** The figures behind it. */
  data: InsightData[T];
  /** The confidence level of the intervals, in percent; null where nobody entered and there is no interval. */
  confidence: number | null;
  /** The users looked at. */
  segment: Segment;
  /** The first instant of the range. */
  startDate: string;
  /** The first instant after the range. */
  endDate: string;
  /** As `asOf`: an insight is computed, not stored. */
  createdAt: string;
  /** The same. */
  updatedAt: string;
}
