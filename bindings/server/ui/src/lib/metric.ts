import type { Catalogue, Metric } from './api'
import { NONE, amount, count, number, percent } from './format'

/** The real-time metrics: their names, how they are written, and whether more is better. */
export const METRICS: Record<string, { title: string; better: 1 | -1 | 0 }> = {
  active_users: { title: 'Active users', better: 1 },
  page_views: { title: 'Page views', better: 1 },
  events_per_second: { title: 'Events a second', better: 0 },
  conversion_rate: { title: 'Conversion rate', better: 1 },
  error_rate: { title: 'Error rate', better: -1 },
  revenue_per_minute: { title: 'Revenue a minute', better: 1 },
}

export function written(name: string, value: number | null, metadata?: Metric['metadata']): string {
  if (value === null || value === undefined) return NONE
  if (name.endsWith('_rate')) return percent(value)
  if (name === 'revenue_per_minute') return amount(value, metadata?.baseCurrency ?? 'EUR')
  return Number.isInteger(value) ? count(value) : number(value)
}

/** An instant so many microseconds later, exactly: dates know milliseconds only. */
function later(at: string, by: number): string {
  const micros = BigInt(Date.parse(`${at.slice(0, 19)}Z`)) * 1000n + BigInt((/\.(\d{1,6})/.exec(at)?.[1] ?? '').padEnd(6, '0')) + BigInt(by)
  return `${new Date(Number(micros / 1000n)).toISOString().slice(0, 23)}${String(micros % 1000n).padStart(3, '0')}Z`
}

/** The people behind a real-time number: who did what it counts within its window, `(end − length, end]`. */
export function behind(metric: Metric, catalogue: Catalogue | null, zone: string): { question: Record<string, unknown>; title: string } | null {
  const [event, title] = doing(metric.metricName, catalogue)
  if (event && event.length === 0) return null
  const startDate = later(metric.timestamp, 1 - metric.metadata.windowSeconds * 1_000_000)
  return { question: { startDate, endDate: later(metric.timestamp, 1), timezone: zone, metrics: ['active_users'], ...(event ? { event } : {}) }, title }
}

/** Which events a number counts: all where none are named; and what is said of who did them. */
function doing(name: string, catalogue: Catalogue | null): [string[] | null, string] {
  if (name === 'page_views') return [catalogue?.pageViews ?? [], 'Viewed a page']
  if (name === 'conversion_rate') return [catalogue?.conversions ?? [], 'Converted']
  if (name === 'error_rate') return [catalogue?.errors ?? [], 'Met an error']
  if (name === 'revenue_per_minute') return [catalogue?.revenue.events ?? [], 'Paid, or were paid back']
  return [null, name === 'active_users' ? 'Active' : 'Did anything']
}
