/** The API as the pages call it, and the shapes of its answers as far as they are shown. */

import { based } from './base'

/** Where the API is. */
export const ROOT = based('/api/analytics-dashboard')

export interface FieldError {
  field: string
  code: string
  message: string
}

/** What went wrong, with all that somebody who asks for help needs to say. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly requestId: string | null
  readonly errors: FieldError[]
  constructor(status: number, code: string, message: string, requestId: string | null = null, errors: FieldError[] = []) {
    super(message)
    this.status = status
    this.code = code
    this.requestId = requestId
    this.errors = errors
  }
}

export interface Meta {
  requestId: string
  asOf?: string
  dataVersion?: number
  version: string
  pagination?: { total: number; limit: number; offset: number; hasMore: boolean }
}

export interface Reply<T> {
  data: T
  meta: Meta
  /** The revision, for changes that must not overwrite another's. */
  tag: string | null
}

export interface Asking {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  body?: unknown
  tag?: string | null
  signal?: AbortSignal
}

/** Told when a login has ended, so that whoever it was can log in again where they are. */
let ended: () => void = () => {}
export const onEnd = (hear: () => void): void => {
  ended = hear
}

export async function call<T>(asking: Asking): Promise<Reply<T>> {
  const headers: Record<string, string> = { accept: 'application/json', 'x-requested-with': 'travelsense' }
  if (asking.body !== undefined) headers['content-type'] = 'application/json'
  if (asking.tag) headers['if-match'] = asking.tag
  const init: RequestInit = { method: asking.method ?? 'GET', headers, credentials: 'same-origin' }
  if (asking.body !== undefined) init.body = JSON.stringify(asking.body)
  if (asking.signal) init.signal = asking.signal
  const path = asking.path.startsWith('/') ? based(asking.path) : `${ROOT}/${asking.path}`
  let response: Response
  try {
    response = await fetch(path, init)
  } catch (error) {
    if (asking.signal?.aborted) throw error
    throw new ApiError(0, 'unreachable', 'The server does not answer. It may have been stopped, or the network is down.')
  }
  if (!response.ok) throw await problem(response)
  const tag = response.headers.get('etag')
  if (response.status === 204) return { data: null as T, meta: { requestId: '', version: '' }, tag }
  try {
    const body = (await response.json()) as { data: T; meta: Meta }
    return { ...body, tag }
  } catch (error) {
    if (asking.signal?.aborted) throw error
    throw new ApiError(response.status, 'unreadable', 'The answer cannot be read.', response.headers.get('x-request-id'))
  }
}

async function problem(response: Response): Promise<ApiError> {
  const id = response.headers.get('x-request-id')
  if (response.status === 401 && !response.url.endsWith('/session')) ended()
  try {
    const body = (await response.json()) as { code: string; detail: string; requestId: string; errors?: FieldError[] }
    return new ApiError(response.status, body.code, body.detail, body.requestId ?? id, body.errors ?? [])
  } catch {
    return new ApiError(response.status, 'unexpected', `The server answered ${response.status}.`, id)
  }
}

export const get = <T>(path: string, query: Record<string, string | number | undefined> = {}): Asking => {
  const pairs = Object.entries(query).filter((p): p is [string, string | number] => p[1] !== undefined && p[1] !== '')
  const search = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString()
  return { path: search ? `${path}?${search}` : path } as Asking & { path: string; result?: T }
}

export const word = (name: string, question: unknown): Asking => ({ method: 'POST', path: `query/${name}`, body: question })

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

export interface Session {
  userId: string
  role: string
  permissions: string[]
  /** Whether a token proves it, or the application that the dashboard is part of. */
  login: 'token' | 'host'
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

export interface Metric {
  metricName: string
  value: number | null
  timestamp: string
  metadata: {
    timeRange: string
    windowSeconds: number
    unit: string
    previous: number | null
    change: number | null
    currency?: string
    series: { start: string; value: number | null }[]
  }
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
  breakdown?: { properties: unknown[]; by: string; groups: FunnelGroup[] } | null
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

export interface Person {
  userId: string
  anonymous: boolean
  firstSeen: string | null
  lastSeen: string | null
  events: number
  plan: string | null
  properties: Record<string, unknown> | null
}

export interface People {
  total: number
  offset: number
  hasMore: boolean
  users: Person[]
  asOf: string
}

export interface Widget {
  type: string
  title: string
  dataSource: string
  visualization: string
  config: Record<string, unknown>
}

export interface Dashboard {
  _id: string
  name: string
  description?: string | null
  widgets: Widget[]
  isPublic: boolean
  ownerId: string
  createdBy: string
  createdAt: string
  updatedAt: string
  revision: number
}

export interface Template {
  key: string
  name: string
  description: string
  widgets: Widget[]
}

export interface WidgetData {
  widget: number
  type: string
  title: string
  dataSource: string
  visualization: string
  startDate: string | null
  endDate: string | null
  data?: { kind: string } & Record<string, unknown>
  error?: { code?: string; message?: string } & Record<string, unknown>
}

export interface Sharing {
  users: { id: string; access: 'view' | 'edit' }[]
  roles: { role: string; access: 'view' | 'edit' }[]
}

export interface Job {
  _id: string
  exportType: string
  format: string
  dateRange: { startDate: string; endDate: string; timezone: string }
  metrics: string[]
  dashboardId?: string
  status: string
  rows?: number
  progress?: number
  fileUrl?: string
  fileSize?: number
  createdBy: string
  createdAt: string
  completedAt?: string
  expiresAt?: string
  error?: unknown
}

export interface Entry {
  seq: number
  at: string
  who: string
  role: string
  origin: string
  requestId: string
  action: string
  object: string
  outcome: string
  reason: string
  hash: string
}

export interface Catalogue {
  pageViews: string[]
  conversions: string[]
  errors: string[]
  revenue: { events: string[]; amount: string; currency: string }
  features: string[]
  defaultFunnel: unknown[]
  premiumPlans: string[]
  baseCurrency: string
}

export interface Cohort {
  name: string
  definition: unknown
  createdAt: string
}

export interface Insight {
  _id: string
  insightType: string
  title: string
  description: string
}
