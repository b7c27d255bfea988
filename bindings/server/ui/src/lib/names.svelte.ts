import type { Journey } from './answers'
import { call, get, word, type Catalogue } from './api'
import { nodeName } from './event'
import { plus, today } from './range'

/** The names that questions may speak of: events of the last 90 days, and properties that were asked for here before. */
export const names = $state({ events: [] as string[], properties: remembered(), catalogue: null as Catalogue | null })

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
  const day = today('UTC')
  const question = { startDate: plus(day, -90), endDate: day, timezone: 'UTC', parts: ['nodes'], limit: 1000, medians: false }
  const [journey, catalogue] = await Promise.allSettled([call(word('journey', question)), call(get('catalogue'))])
  if (journey.status === 'fulfilled') names.events = journey.value.data.nodes.top.map((n) => nodeName(n.node))
  if (catalogue.status === 'fulfilled') names.catalogue = catalogue.value.data
}
