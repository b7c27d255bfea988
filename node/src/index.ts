/**
 * Behavioural analytics inside your own process: funnels, retention and real-time metrics with numbers that can be
 * trusted.
 *
 * @example
 * ```ts
 * import { open } from 'travelsense';
 *
 * await using store = await open('travel.db');
 * await store.import('events.ndjson');
 * const funnel = await store.funnel({
 *   steps: ['search', 'view_trip', 'complete_booking'],
 *   startDate: '2026-01-01',
 *   endDate: '2026-01-31',
 * });
 * console.log(funnel.rate.value);
 * ```
 *
 * @packageDocumentation
 */

export type { Once, Permission } from './admin.js';
export { Analytics, open, type OpenOptions } from './analytics.js';
export {
  createHandler,
  type GetPrincipal,
  type Handler,
  type HandlerOptions,
  type HandlerPrincipal,
  type Role,
} from './handler.js';
export { TravelsenseError, type ErrorKind, type FieldError } from './error.js';
export type {
  AdoptionAnswer,
  AdoptionQuestion,
  Breadth,
  BreadthRow,
  Feature,
  FeatureAdoption,
  FirstUses,
} from './adoption.js';
export type { Answer, Exact, Row, RowOptions } from './answer.js';
export {
  detectAnomalies,
  type AnomaliesAnswer,
  type AnomaliesQuestion,
  type AnomalyPoint,
  type DetectAnswer,
  type DetectColumns,
  type DetectOptions,
  type Expected,
  type Finding,
  type SeriesFinding,
} from './anomaly.js';
export type {
  Activity,
  ChurnAnswer,
  ChurnQuestion,
  NextActionAnswer,
  NextActionQuestion,
  Risk,
  ValueAnswer,
  ValueQuestion,
  Visits,
  Worth,
} from './churn.js';
export {
  backtest,
  forecast,
  type BacktestAnswer,
  type BacktestColumns,
  type BacktestOptions,
  type Charted,
  type ForecastAnswer,
  type ForecastAsking,
  type ForecastNotes,
  type ForecastColumns,
  type ForecastOptions,
  type Frame,
  type ModelShare,
  type Score,
  type SeriesColumns,
  type SeriesRow,
  type SeriesValues,
} from './forecast.js';
export type { OnTheBooks, PickupAnswer, PickupCell, PickupFigures, PickupPeriod, PickupQuestion } from './pickup.js';
export type {
  PastBucket,
  PredictedBucket,
  PredictionType,
  PredictiveAnswer,
  PredictiveBacktestQuestion,
  PredictiveQuestion,
} from './predictive.js';
export type { Asking } from './asking.js';
export type {
  ActivePeriod,
  ActiveUsers,
  ActivityRatio,
  EngagementAnswer,
  EngagementMetric,
  EngagementQuestion,
  HeatMapHour,
  LifecyclePeriod,
  Sessions,
  Stickiness,
} from './engagement.js';
export type {
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
export type {
  ErasureReport,
  Freshness,
  IngestOptions,
  IngestStatus,
  ParkedReport,
  Quarantine,
  QuarantinedEvent,
  QuarantineList,
  Recovery,
  Stored,
} from './events.js';
export type {
  AnsweredCondition,
  AnsweredFilter,
  Condition,
  Filter,
  Moment,
  Property,
  PropertyValue,
} from './filter.js';
export type { Counted, CountingWord, Question, Word, Words } from './words.js';
export type {
  Estimate,
  Given,
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
  When,
  Window,
} from './query.js';
export type {
  Breakdown,
  Exclusion,
  FunnelAnswer,
  FunnelBucket,
  FunnelGroup,
  FunnelQuestion,
  FunnelRevenue,
  FunnelStep,
  FunnelStepQuestion,
  FunnelSwitches,
  Matured,
  TimeToConvert,
} from './funnel.js';
export type {
  Anchor,
  Audit,
  AuditEntry,
  AuditList,
  Dashboard,
  DashboardList,
  Dashboards,
  DataSource,
  NewDashboard,
  Sharing,
  Template,
  Verification,
  Widget,
  WidgetAnswer,
  WidgetData,
  WidgetType,
} from './dashboard.js';
export type {
  Alert,
  AlertChannel,
  AlertCondition,
  AlertEvent,
  AlertNews,
  Alerts,
  AlertSource,
  Deliveries,
  Delivery,
  DeliveryReport,
  DueNotification,
  Evaluated,
  NewAlert,
  Notification,
  Notifications,
} from './alert.js';
export type {
  Actuals,
  Feedback,
  FeedbackLog,
  FeedbackQuestion,
  FeedbackScores,
  Model,
  Models,
  NewModel,
  OutsidePredictions,
  ScoreQuestion,
  Scores,
} from './model.js';
export type { Catalogue, NewCatalogue, Revenue } from './catalogue.js';
export type {
  Importing,
  ImportOptions,
  ImportReport,
  ImportSource,
  Mapping,
  PlatformTable,
  Progress,
  Refusal,
} from './import.js';
export type { ExportJob, ExportList, ExportMetric, ExportRequest, ExportsQuestion } from './export.js';
export type {
  Compared,
  CompareQuestion,
  Comparison,
  Contrast,
  DifferenceQuestion,
  Differing,
  DifferingUsers,
  DropOffAnswer,
  DropOffQuestion,
  DropOffStep,
  Explanation,
  Factor,
  Factors,
  SwitchDifference,
} from './difference.js';
export type { EventAnswer, IngestReport, NewEvent } from './ingest.js';
export type { Insight, InsightData, InsightOf, InsightType, UserInsightsQuestion } from './insight.js';
export type {
  JourneyAnswer,
  JourneyCondition,
  JourneyLink,
  JourneyLoop,
  JourneyNeighbour,
  JourneyNode,
  JourneyNodeCount,
  JourneyPart,
  JourneyQuestion,
  JourneySequence,
  JourneyStepNode,
  JourneySwitches,
  JourneyTransition,
} from './journey.js';
export type {
  CohortDefinition,
  People,
  PeopleQuestion,
  Person,
  Profile,
  ProfileQuestion,
  SavedCohort,
} from './people.js';
export type {
  Measure,
  Metric,
  RealtimeAnomaly,
  RealtimeMetadata,
  RealtimeMetric,
  RealtimePoint,
  RealtimeQuestion,
  TimeRange,
} from './realtime.js';
export type {
  Cell,
  Cohort,
  CohortPeriod,
  PeriodAverage,
  RetentionAnswer,
  RetentionCriterion,
  RetentionGroup,
  RetentionMetric,
  RetentionMode,
  RetentionProperty,
  RetentionQuestion,
  RetentionSwitches,
  RetentionUnit,
} from './retention.js';
