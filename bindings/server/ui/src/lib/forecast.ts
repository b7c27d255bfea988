import type { Feedback, Predictive } from './answers'
import { isDate } from './range'

/** What can be forecast: how it is asked, told and written. */
export interface Kind {
  title: string
  /** As it stands in the sentence. */
  words: string
  unit: 'count' | 'amount' | 'share'
  better: 1 | -1 | 0
}

export const KINDS: Record<string, Kind> = {
  user_growth: { title: 'New users', words: 'new users a day', unit: 'count', better: 1 },
  demand_forecast: { title: 'Bookings', words: 'bookings a day', unit: 'count', better: 1 },
  revenue: { title: 'Revenue', words: 'revenue a day', unit: 'amount', better: 1 },
  churn_rate: { title: 'Churn rate', words: 'people a week who do not come back', unit: 'share', better: -1 },
  feature_adoption: { title: 'Feature adoption', words: 'first uses of a feature a day', unit: 'count', better: 1 },
}

/** Something that happens on some days, known or planned. */
export interface Occasion {
  name: string
  days: string[]
}

/** Occasions as the query string holds them: `sale:2026-06-01,2026-06-29;fair:2026-06-12`. */
export function readOccasions(text: string | null): Occasion[] {
  return (text ?? '')
    .split(';')
    .map((part) => {
      const cut = part.lastIndexOf(':')
      return { name: part.slice(0, cut).trim(), days: part.slice(cut + 1).split(',').filter(isDate) }
    })
    .filter((o) => o.name !== '' && o.days.length > 0)
    .slice(0, 10)
}

export const writeOccasions = (list: Occasion[]): string => list.map((o) => `${o.name.replace(/[;:]/g, ' ').trim()}:${o.days.join(',')}`).join(';')

/** The question of a forecast of the same history with occasions; its days are civil dates in the report's zone. */
export function whatIf(data: Predictive, unit: Kind['unit'], occasions: Occasion[], level: number, civil: (at: string) => string): Record<string, unknown> {
  return {
    ds: data.historicalData.map((p) => civil(p.date)),
    y: data.historicalData.map((p) => p.value),
    horizon: data.horizon,
    freq: data.period === 'weekly' ? 'W' : 'D',
    level: [Math.min(99.9, Math.max(0.1, level))],
    kind: unit,
    gaps: 'missing',
    events: occasions,
  }
}

/** What came of one series as it was expected so many periods before, in the order of time; of several runs the last counts. */
export function compared(rows: NonNullable<Feedback['rows']>, series: string, ahead: number): { ds: string; y: number; mean: number; lower: number | null; upper: number | null }[] {
  const last = new Map<string, number>()
  rows.ds.forEach((ds, i) => {
    const before = last.get(ds)
    if (rows.uniqueId[i] === series && rows.h[i] === ahead && (before === undefined || rows.madeAt[i]! >= rows.madeAt[before]!)) last.set(ds, i)
  })
  const times = [...last].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
  return times.map(([ds, i]) => ({ ds, y: rows.y[i]!, mean: rows.mean[i]!, lower: rows.lower[i] ?? null, upper: rows.upper[i] ?? null }))
}
