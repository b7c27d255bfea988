import type { Journey } from './answers'
import { call, get, word, type Catalogue } from './api'
import { plus, today, type Range } from './range'

/** The names that questions may speak of: events of the last 90 days, or of ten years where all are long past, and properties that were asked for here before. */
export const names = $state({
  events: [] as string[],
  properties: remembered(),
  catalogue: null as Catalogue | null,
  /** The day of the latest event, in UTC; nothing where there is none, or nobody knows. */
  latest: null as string | null,
  /** Whether all of this was asked for. */
  known: false,
})

function remembered(): string[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem('properties') ?? '[]')
    if (Array.isArray(list)) return list.filter((n): n is string => typeof n === 'string')
  } catch {
    // What cannot be read is as good as nothing.
  }
  return []
}

/** Keeps the name of a property that an answer knew. */
export function remember(property: string): void {
  if (!property || names.properties.includes(property)) return
  names.properties = [...names.properties, property].sort().slice(0, 100)
  localStorage.setItem('properties', JSON.stringify(names.properties))
}

export async function learn(): Promise<void> {
  const [status, catalogue] = await Promise.allSettled([call(get('events/status')), call(get('catalogue'))])
  if (catalogue.status === 'fulfilled') names.catalogue = catalogue.value.data
  const latest = status.status === 'fulfilled' ? (status.value.data.stored?.latest ?? null) : null
  names.latest = latest === null ? null : latest.slice(0, 10)
  const [journey] = await Promise.allSettled([call(word('journey', eventsQuestion()))])
  if (journey.status === 'fulfilled') names.events = journey.value.data.nodes.top.flatMap((n) => (typeof n.node === 'string' ? [n.node] : []))
  names.known = true
}

/** How far back events are looked for: where all are long past, as far as a question can. */
export const back = (): { days: number; end: string } => {
  const day = today('UTC')
  const past = names.latest !== null && names.latest < plus(day, -30)
  return past ? { days: 3650, end: names.latest! } : { days: 90, end: day }
}

/** Which events there are. */
export function eventsQuestion(): Record<string, unknown> {
  const { days, end } = back()
  return { startDate: plus(end, -days), endDate: end, timezone: 'UTC', parts: ['nodes'], limit: 1000, medians: false }
}

/** The last so many days with events, where they lie before a range; nothing where the range has some, as far as is known. */
export const before = (range: Range, days: number): Range | null => (names.latest !== null && names.latest < range.startDate ? { startDate: plus(names.latest, 1 - days), endDate: names.latest } : null)
