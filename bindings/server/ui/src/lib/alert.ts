import type { Alert, AlertDraft } from './api'
import { METRICS } from './metric'
import { plus } from './range'
import { question as stepQuestion, stepOf, type Step } from './steps'

/** A rule as its form holds it: everything that the API takes, one field for each. */
export interface Form {
  name: string
  severity: string
  looks: 'metric' | 'answer' | 'system'
  metric: string
  range: string
  /** A number of `NUMBERS`, or `own`. */
  number: string
  steps: Step[]
  window: string
  word: string
  /** The question, as JSON. */
  question: string
  lastDays: number | null
  value: string
  low: string
  high: string
  system: string
  /** Whose events are to be fresh, by their source; those of all where it is empty. */
  source: string
  kind: string
  above: number | null
  below: number | null
  recover: number | null
  by: number | null
  direction: string
  against: string
  /** When the interval was given that a band is; empty where the same answer gives it. */
  foretold: string
  when: 'every' | 'at'
  /** In minutes. */
  every: number
  at: string
  days: string[]
  zone: string
  hold: number
  clear: number
  /** In minutes. */
  coolDown: number
  group: string
  channels: Told[]
  maintenance: Pause[]
}

/** Who is told, and where. */
export interface Told {
  kind: 'roles' | 'users' | 'email' | 'slack' | 'webhook'
  to: string
}

export interface Pause {
  days: string[]
  from: string
  to: string
  zone: string
}

export const WEEK: [string, string][] = [
  ['monday', 'Mon'],
  ['tuesday', 'Tue'],
  ['wednesday', 'Wed'],
  ['thursday', 'Thu'],
  ['friday', 'Fri'],
  ['saturday', 'Sat'],
  ['sunday', 'Sun'],
]

export const CHANNELS: [Told['kind'], string, string][] = [
  ['roles', 'Here, those of a role', 'admin, analyst'],
  ['users', 'Here, somebody', 'ids of those who log in'],
  ['email', 'By e-mail', 'someone@example.com'],
  ['slack', 'In Slack', 'https://hooks.slack.com/services/…'],
  ['webhook', 'By webhook', 'https://example.com/hook'],
]

/** What travelsense can be asked of itself. */
export const SYSTEMS: [string, string][] = [
  ['freshness', 'Seconds since the last event'],
  ['export_failures', 'Exports that failed'],
  ['failures', 'Requests that failed here'],
]

/** A number in an answer that is often watched. */
export interface Number_ {
  title: string
  word: string
  question: Record<string, unknown>
  lastDays?: number
  value: string
  low?: string
  high?: string
  share?: boolean
}

export const NUMBERS: Record<string, Number_> = {
  conversion: { title: 'Conversion of a funnel', word: 'funnel', question: {}, lastDays: 7, value: '/rate/value', low: '/rate/low', high: '/rate/high', share: true },
  active: { title: 'Active people', word: 'engagement', question: {}, lastDays: 7, value: '/users' },
  stickiness: { title: 'Stickiness, DAU/MAU', word: 'engagement', question: {}, lastDays: 30, value: '/stickiness/dauOverMau/value', share: true },
  retention: { title: 'People who come back a week later', word: 'retention', question: { cohortPeriod: 'weekly' }, lastDays: 56, value: '/average/1/value', low: '/average/1/low', high: '/average/1/high', share: true },
  churn: { title: 'Mean risk of not coming back in 30 days', word: 'churn', question: { horizonDays: 30 }, value: '/summary/averageProbability', share: true },
  seconds: { title: 'Seconds that a usual funnel takes', word: 'funnel', question: {}, lastDays: 30, value: 'seconds' },
}

export const WORDS = ['funnel', 'drop_off', 'compare', 'retention', 'journey', 'engagement', 'adoption', 'realtime', 'pickup', 'anomalies', 'user_insights', 'churn', 'value', 'next_action', 'predictive', 'forecast', 'backtest', 'score', 'feedback']

/** A new rule of somebody in a zone. */
export const blank = (zone: string): Form => ({
  name: '',
  severity: 'warning',
  looks: 'metric',
  metric: 'error_rate',
  range: 'last_15_minutes',
  number: 'conversion',
  steps: [],
  window: '7d',
  word: 'funnel',
  question: '{}',
  lastDays: 7,
  value: '/rate/value',
  low: '',
  high: '',
  system: 'freshness',
  source: '',
  kind: 'threshold',
  above: 5,
  below: null,
  recover: null,
  by: 20,
  direction: 'either',
  against: 'week_before',
  foretold: '',
  when: 'every',
  every: 1,
  at: '08:00',
  days: WEEK.map(([day]) => day),
  zone,
  hold: 1,
  clear: 1,
  coolDown: 10,
  group: '',
  channels: [{ kind: 'roles', to: 'admin' }],
  maintenance: [],
})

/** Whether the number is a share, which people write in percent. */
export const isShare = (f: Form): boolean => (f.looks === 'metric' ? f.metric.endsWith('_rate') : f.looks === 'answer' && f.number !== 'own' && NUMBERS[f.number]?.share === true)

/** Whether the number comes with the bounds that it may lie within. */
export const hasBand = (f: Form): boolean => f.looks === 'answer' && (f.number === 'own' ? f.low !== '' || f.high !== '' : NUMBERS[f.number]?.low !== undefined)

/** What can be looked for in what is looked at. */
export function kinds(f: Form): [string, string][] {
  const all: [string, string][] = [['threshold', 'is beyond a limit']]
  if (f.looks !== 'system') all.push(['change', 'changes'])
  if (f.looks === 'metric') all.push(['anomaly', 'is not as usual'])
  if (hasBand(f)) all.push(['band', 'leaves an interval'])
  return [...all, ['no_data', 'has no value']]
}

/** What is wrong with a form before it is sent. */
export class Wrong extends Error {}

const list = (text: string): string[] => text.split(',').map((t) => t.trim()).filter(Boolean)
const fine = (n: number): number => Math.round(n * 1e9) / 1e9
const given = (n: number | null): n is number => n !== null && Number.isFinite(n)

function object(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text || '{}')
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Said below.
  }
  throw new Wrong('The question must be a JSON object, such as {"steps": ["search", "complete_booking"]}.')
}

function sourceOf(f: Form): Record<string, unknown> {
  if (f.looks === 'metric') return { metric: f.metric, timeRange: f.range }
  if (f.looks === 'system') return { system: f.system, ...(f.system === 'freshness' && f.source.trim() ? { source: f.source.trim() } : {}) }
  const number = NUMBERS[f.number]
  const days = given(f.lastDays) ? { lastDays: f.lastDays } : {}
  if (!number) return { word: f.word, question: object(f.question), ...days, value: f.value, ...(f.low ? { low: f.low } : {}), ...(f.high ? { high: f.high } : {}) }
  const { word, value, low, high } = number
  const question = f.number === 'conversion' ? { steps: f.steps.map(stepQuestion), window: f.window } : number.question
  return { word, question, ...(number.lastDays === undefined ? {} : days), value, ...(low ? { low } : {}), ...(high ? { high } : {}) }
}

function conditionOf(f: Form): Record<string, unknown> {
  const scale = isShare(f) ? 0.01 : 1
  const bound = (name: string, n: number | null): object => (given(n) ? { [name]: fine(n * scale) } : {})
  switch (kinds(f).some((k) => k[0] === f.kind) ? f.kind : 'threshold') {
    case 'threshold':
      if (!given(f.above) && !given(f.below)) throw new Wrong('A limit is needed: above, below, or both.')
      return { type: 'threshold', ...bound('above', f.above), ...bound('below', f.below), ...(given(f.above) && given(f.below) ? {} : bound('recover', f.recover)) }
    case 'change':
      if (!given(f.by)) throw new Wrong('By how much it must change is needed.')
      return { type: 'change', by: fine(f.by / 100), direction: f.direction, against: f.against }
    case 'anomaly':
      return { type: 'anomaly', direction: f.direction }
    case 'band':
      return { type: 'band', ...(f.foretold ? { against: f.foretold } : {}) }
    default:
      return { type: 'no_data' }
  }
}

function channelOf({ kind, to }: Told): Record<string, unknown> {
  if (!to.trim()) throw new Wrong('Whom to tell is needed.')
  if (kind === 'roles' || kind === 'users') return { type: 'in_app', [kind]: list(to) }
  return kind === 'email' ? { type: 'email', to: list(to) } : { type: kind, url: to.trim() }
}

/** The rule as the API takes it. */
export function draftOf(f: Form): AlertDraft {
  const draft = {
    name: f.name.trim(),
    severity: f.severity,
    source: sourceOf(f),
    condition: conditionOf(f),
    schedule: f.when === 'every' ? { every: f.every * 60, timezone: f.zone } : { at: f.at, days: f.days, timezone: f.zone },
    for: f.hold,
    clearFor: f.clear,
    coolDown: Math.round(f.coolDown * 60),
    group: f.group.trim(),
    channels: f.channels.map(channelOf),
    maintenance: f.maintenance.map(({ days, from, to, zone }) => ({ days, from, to, timezone: zone })),
  }
  return draft as unknown as AlertDraft
}

type Loose = Record<string, unknown>
const text = (value: unknown, otherwise = ''): string => (typeof value === 'string' ? value : otherwise)
const numeric = (value: unknown): number | null => (typeof value === 'number' ? value : null)
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Which of the known numbers a source looks at. */
function known(source: Loose): { number: string; steps?: Step[]; window?: string } {
  for (const [key, n] of Object.entries(NUMBERS)) {
    if (n.word !== source.word || n.value !== source.value || text(source.low) !== (n.low ?? '') || text(source.high) !== (n.high ?? '') || (n.lastDays === undefined && numeric(source.lastDays) !== null)) continue
    if (key !== 'conversion') {
      if (same(source.question, n.question)) return { number: key }
      continue
    }
    const { steps, window, ...rest } = (source.question ?? {}) as Loose
    const read = Array.isArray(steps) ? steps.map(stepOf) : [null]
    if (Object.keys(rest).length === 0 && typeof window === 'string' && read.every((s) => s !== null)) return { number: key, steps: read, window }
  }
  return { number: 'own' }
}

/** The form of a rule that there is. */
export function formOf(alert: Alert, zone: string): Form {
  const source = alert.source as Loose
  const condition = alert.condition as Loose
  const schedule = alert.schedule as Loose
  const looks = typeof source.metric === 'string' ? 'metric' : typeof source.system === 'string' ? 'system' : 'answer'
  const base = { ...blank(text(schedule.timezone, zone)), above: null, lastDays: null }
  const form: Form = {
    ...base,
    name: alert.name,
    severity: alert.severity,
    looks,
    kind: text(condition.type, 'threshold'),
    direction: text(condition.direction, 'either'),
    ...(condition.type === 'band' ? { foretold: text(condition.against) } : { against: text(condition.against, 'previous') }),
    hold: alert.for,
    clear: alert.clearFor,
    coolDown: alert.coolDown / 60,
    group: alert.group,
    channels: (alert.channels as Loose[]).flatMap(toldBy),
    maintenance: (alert.maintenance as Loose[]).map((m) => ({ days: (m.days as string[] | undefined) ?? base.days, from: text(m.from), to: text(m.to), zone: text(m.timezone, zone) })),
    ...(schedule.at === undefined ? { when: 'every' as const, every: (numeric(schedule.every) ?? 60) / 60 } : { when: 'at' as const, at: text(schedule.at), days: (schedule.days as string[] | undefined) ?? base.days }),
    ...(looks === 'metric' ? { metric: text(source.metric), range: text(source.timeRange, 'last_5_minutes') } : {}),
    ...(looks === 'system' ? { system: text(source.system), source: text(source.source) } : {}),
    ...(looks === 'answer' ? { ...known(source), word: text(source.word), question: JSON.stringify(source.question, null, 2), lastDays: numeric(source.lastDays), value: text(source.value), low: text(source.low), high: text(source.high) } : {}),
  }
  const scale = isShare(form) ? 100 : 1
  const bound = (name: string): number | null => (numeric(condition[name]) === null ? null : fine(numeric(condition[name])! * scale))
  const by = numeric(condition.by)
  return { ...form, above: bound('above'), below: bound('below'), recover: bound('recover'), by: by === null ? 20 : fine(by * 100) }
}

function toldBy(channel: Loose): Told[] {
  const names = (value: unknown): string => (Array.isArray(value) ? value.join(', ') : '')
  if (channel.type === 'in_app') {
    const both: Told[] = [
      { kind: 'roles', to: names(channel.roles) },
      { kind: 'users', to: names(channel.users) },
    ]
    return both.filter((t) => t.to !== '')
  }
  if (channel.type === 'email') return [{ kind: 'email', to: names(channel.to) }]
  return [{ kind: channel.type as Told['kind'], to: text(channel.url) }]
}

/** A number of an answer that somebody wants to watch, as the address of the alerts holds it. */
interface Watched {
  name: string
  word: string
  question: Record<string, unknown>
  value: string
  low?: string
  high?: string
}

/** The range is left out: the rule looks at as many days before it is evaluated. */
export function watching({ question: { startDate, endDate, timezone: _zone, ...question }, ...rest }: Watched): string {
  const days = typeof startDate === 'string' && typeof endDate === 'string' ? Math.round((Date.parse(endDate.endsWith('T00:00:00') ? endDate.slice(0, 10) : plus(endDate.slice(0, 10), 1)) - Date.parse(startDate.slice(0, 10))) / 86_400_000) : null
  return JSON.stringify({ ...rest, question, ...(days === null ? {} : { lastDays: Math.min(730, Math.max(1, days)) }) })
}

/** The form of what is to be watched; nothing where the address holds no such thing. */
export function watched(said: string | null, zone: string): Form | null {
  if (!said) return null
  try {
    const source = JSON.parse(said) as Loose
    if (typeof source.word !== 'string' || typeof source.value !== 'string' || typeof source.question !== 'object') return null
    const alert = { name: text(source.name), severity: 'warning', source, condition: { type: source.low ? 'change' : 'threshold', by: 0.2, direction: 'down', against: 'week_before' }, schedule: { at: '08:00', timezone: zone }, for: 1, clearFor: 1, coolDown: 600, group: '', channels: [{ type: 'in_app', roles: ['admin'] }], maintenance: [] }
    return formOf(alert as unknown as Alert, zone)
  } catch {
    return null
  }
}

/** What a rule looks at, in words. */
export function looksAt(alert: Alert): string {
  const s = alert.source as Loose
  if (typeof s.metric === 'string') return `${METRICS[s.metric]?.title ?? s.metric}, ${text(s.timeRange).replaceAll('_', ' ')}`
  if (typeof s.system === 'string') return `${SYSTEMS.find(([key]) => key === s.system)?.[1] ?? s.system}${text(s.source) && ` of ${text(s.source)}`}`
  const { number } = known(s)
  const days = numeric(s.lastDays) === null ? '' : `, last ${String(s.lastDays)} days`
  return `${NUMBERS[number]?.title ?? `${text(s.word).replaceAll('_', ' ')}, ${text(s.value)}`}${days}`
}
