/** What the words answer, as far as it is shown; the API's description says of their answers only that they are JSON. */

export interface Rate {
  value: number | null
  k: number
  n: number
  low: number | null
  high: number | null
  small: boolean
}

export interface Times {
  count: number
  mean: number | null
  min: number | null
  p25: number | null
  median: number | null
  p75: number | null
  p90: number | null
  p95: number | null
  max: number | null
  histogram?: { from: number; to: number; count: number }[]
}

export interface Stamped {
  _id: string
  resultHash: string
  asOf: string
  timezone: string
  segment: string
  startDate: string
  endDate: string
  preset?: string
  switches?: Record<string, unknown>
  unattributedEvents?: number
}

export interface FunnelStep {
  step: number
  event: unknown
  optional?: boolean
  count: number
  rate: Rate
  rateFromPrevious: Rate
  dropped: number
  timeFromPrevious: Times
  timeFromEntry?: Times
}

export interface FunnelGroup {
  kind: string
  value: unknown
  label: string
  entered: number
  converted: number
  open: number
  rate: Rate
  matured: Matured
  steps: FunnelStep[]
  timeToConvert: Times
}

export interface Matured {
  entered: number
  converted: number
  rate: Rate
}

export interface Funnel extends Stamped {
  steps: FunnelStep[]
  entered: number
  converted: number
  open: number
  rate: Rate
  matured: Matured
  timeToConvert: Times & { fromStep: number; toStep: number }
  window: number
  kaplanMeierMedian: number | null
  /** What the events of the chains are worth, where that was asked for. */
  revenue?: { total: string; converted: string }
  breakdown?: { properties: unknown[]; by: unknown; groups: FunnelGroup[] } | null
  trend?: {
    period: string
    buckets: { start: string; end: string; partial: boolean; entered: number; converted: number; open: number; rate: Rate; counts: number[] }[]
  } | null
}

export interface Contrast {
  with: Rate
  without: Rate
  difference: number
  low: number
  high: number
  pValue: number
  adjustedPValue: number
}

export interface Factor extends Contrast {
  event?: string
  property?: unknown
  kind?: string
  value?: unknown
  label: string
}

export interface DropStep {
  step: number
  event: unknown
  reached: number
  dropped: number
  open: number
  matured: { reached: number; dropped: number; rate: Rate }
  next: { event: string; rate: Rate }[]
  other: Rate
  exit: Rate
  factors: { tried: number; untried: number; factors: Factor[] }
}

export interface DropOff extends Stamped {
  steps: DropStep[]
  conversion: Matured & { factors: { tried: number; untried: number; factors: Factor[] } }
  minSupport: number
}

export interface Comparison extends Stamped {
  groups: { kind: string; value: unknown; label: string; conversion: Contrast; steps: (Contrast & { step: number; event: unknown })[] }[]
  shared: number
}

export interface RetentionCell {
  period: number
  value: number | null
  count: number
  eligible: number
  complete: boolean
  partialCount: number
  low: number | null
  high: number | null
  total?: string
}

export interface CohortRow {
  period: string
  size: number
  partial: boolean
  returnedInStartPeriod: number
  retention: RetentionCell[]
}

export interface Retention extends Stamped {
  cohortPeriod: string
  analysisMetric: string
  cohorts: CohortRow[]
  average: { period: number; value: number | null; k: number; n: number; low: number | null; high: number | null; small: boolean }[]
  mode: string
  criterion: string
  leftCensored: boolean
  breakdown?: { groups: { value: unknown; label: string; size: number; cohorts: CohortRow[]; average: Retention['average'] }[] }
}

export type JourneyNode = string | { reserved: 'start' | 'end' | 'truncated' | 'other' }

export interface Journey extends Stamped {
  users: number
  paths: number
  events: number
  nodes: {
    distinct: number
    top: { node: JourneyNode; users: number; occurrences: number; starts: number; ends: number; truncated: number; dropOff: Rate }[]
  }
  sequences?: {
    length: number
    distinct: number
    users: number
    occurrences: number
    top: { nodes: JourneyNode[]; users: number; occurrences: number; share: Rate; meanSeconds: number | null; medianSeconds: number | null }[]
  }
  transitions?: { distinct: number; top: { from: JourneyNode; to: JourneyNode; users: number; transitions: number; share: Rate; medianSeconds?: number }[] }
  sankey?: {
    columns: { step: number; nodes: { node: JourneyNode; users: number; paths: number; share: Rate }[] }[]
    links: { step: number; source: JourneyNode; target: JourneyNode; users: number; transitions: number; meanSeconds: number | null }[]
  }
  /** How many paths are at each node at each step. */
  matrix?: { steps: number; rows: { node: JourneyNode; paths: number[]; users: number[] }[] }
  loops?: {
    top: { node: JourneyNode; selfUsers: number; selfLoops: number; returnUsers: number; returns: number; meanSteps: number; meanSeconds: number }[]
  }
}

export interface Bucket {
  start: string
  end: string
  partial: boolean
  complete: boolean
}

export interface Engagement extends Stamped {
  users: number
  events: number
  activeUsers: Record<'daily' | 'weekly' | 'monthly', (Bucket & { users: number })[]>
  stickiness: {
    users: number
    rows: { periods: number; exactly: Rate; atLeast: Rate }[]
    dauOverMau: Trailing | null
    dauOverWau: Trailing | null
  }
  lifecycle: (Bucket & { active: number; new: number; returning: number; resurrected: number; dormant: number })[]
  sessions: { count: number; users: number; perUser: number; eventsPerSession: Times; seconds: Times; bounces: Rate }
  heatMap: { weekday: string; hour: number; events: number; users: number }[]
  period: string
  weekStart: string
}

export interface Trailing {
  value: number | null
  meanDailyUsers: number
  users: number
  days: number
}

export interface Adoption extends Stamped {
  features: {
    feature: string
    released: string | null
    exposed: number
    adopters: number
    rate: Rate
    open: number
    matured: { exposed: number; adopters: number; rate: Rate }
    users: number
    uses: number
    usesPerUser: number | null
    timeToAdopt: Times
    kaplanMeierMedian: number | null
    firstUses: (Bucket & { users: number })[]
  }[]
  activeUsers: number
  breadth: { unused: number; rows: { features: number; users: number; cells: { from: number; until: number | null; users: number }[] }[] }
  within: number
  minUses: number
}

export interface Churn extends Pick<Stamped, '_id' | 'asOf'> {
  summary: { users: number; expectedChurners: number; averageProbability: number | null; bins: { from: number; to: number; users: number }[] }
  users: { userId: string; anonymous: boolean; probability: number; low: number; high: number; activeDays: number; daysSinceActive: number; daysKnown: number; reasons: { text: string; effect: number }[]; nextActions?: { event: string; probability: number }[] }[]
  method: 'hazard' | 'boosting' | 'base_rate'
  total: number
  offset: number
  hasMore: boolean
  quality: { cutOff: string; churned: { value: number | null; n: number }; auc: { value: number; low: number; high: number } | null; brier: number; brierOfBaseRate: number; calibrationError: number } | null
  horizonDays: number
}

/** What users will do next. */
export interface NextAction extends Pick<Stamped, '_id' | 'asOf'> {
  users: { userId: string; after: string[]; seen: number; next: { event: string; probability: number; low: number; high: number }[] }[]
  quality: { actions: number; orders: { order: number; topOne: Rate; topThree: Rate }[] } | null
  order: number
}

/** Something that is not as it usually is. */
export interface Finding {
  shape: 'point' | 'burst' | 'level_shift' | 'trend_change'
  direction: 'up' | 'down'
  severity: 'minor' | 'major' | 'critical'
  since: string
  foundAt: string
  until: string | null
  expected: number
  interval: { low: number; high: number }
  observed: number
  change: number | null
}

export interface Anomalies extends Pick<Stamped, '_id' | 'asOf'> {
  metric: string
  step: number
  findings: Finding[]
  series: { start: string; value: number | null; expected: number | null; interval: { low: number; high: number } | null; unusual: boolean }[]
}

/** How good forecasts were. */
export interface Score {
  mase: number | null
  wape: number | null
  bias: number | null
  coverage80: number | null
  coverage95: number | null
}

export interface Predictive extends Stamped {
  predictionType: string
  predictions: { date: string; value: number | null; lowerBound: number | null; upperBound: number | null; confidence: number }[]
  historicalData: { date: string; value: number | null }[]
  modelVersion: string
  horizon: number
  period: string
  models: { name: string; share: number }[]
  backtest: { origins: number; points: number; model: Score; naive: Score; widened: number } | null
  notes: Record<string, unknown>
}

export interface Forecast {
  forecasts: { uniqueId: string[]; ds: (string | number)[]; mean: (number | null)[]; intervals: { level: number; lower: (number | null)[]; upper: (number | null)[] }[] }
  series: Record<string, unknown>[]
}

/** How the answers of words are called. */
export interface FeedbackScores {
  n: number
  bias: number | null
  mae: number | null
  wape: number | null
  mase: number | null
  pinball: number | null
  coverage: { level: number; held: Rate }[]
}

export interface Drifting {
  times: number
  ratio: number
  since: string | null
}

export interface Feedback {
  name: string
  runs: number
  madeAt: [string, string] | null
  models: string[]
  measure: 'number' | 'probability'
  waiting: number
  restated: number
  scores: FeedbackScores
  byHorizon: ({ h: number } & FeedbackScores)[]
  probabilities: { came: Rate; mean: number; brier: number; logLoss: number; calibrationError: number; auc: number | null } | null
  drift: { error: Drifting; above: Drifting; below: Drifting; features: { feature: string; psi: number }[]; ratio: number }
  advice: { refit: boolean; reasons: string[] }
  adapted: { level: number; used: number; times: number }[]
  rows?: { madeAt: string[]; uniqueId: string[]; ds: string[]; h: number[]; mean: number[]; lower: (number | null)[]; upper: (number | null)[]; y: number[] }
  asOf: string
}

export interface Answers {
  funnel: Funnel
  drop_off: DropOff
  compare: Comparison
  retention: Retention
  journey: Journey
  engagement: Engagement
  adoption: Adoption
  churn: Churn
  next_action: NextAction
  anomalies: Anomalies
  predictive: Predictive
  forecast: Forecast
  feedback: Feedback
}
