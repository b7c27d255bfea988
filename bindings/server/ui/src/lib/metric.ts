import type { Metric } from './api'
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
