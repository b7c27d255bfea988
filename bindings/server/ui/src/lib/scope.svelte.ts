/** What all pages share: the range, the zone, the segment and whether to compare, all from the query string. */
import { place } from './place.svelte'
import { before, isZone, read, type Range } from './range'

export const SEGMENTS: [string, string][] = [
  ['all', 'Everyone'],
  ['new', 'New'],
  ['returning', 'Returning'],
  ['active', 'Active'],
  ['inactive', 'Inactive'],
  ['premium', 'Premium'],
  ['free', 'Free'],
]

const own = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'

export const scope = {
  get zone(): string {
    const given = place.get('tz')
    return given !== null && isZone(given) ? given : own
  },
  get range(): Range {
    return read(place.query, this.zone)
  },
  get segment(): string {
    return place.get('seg') ?? 'all'
  },
  get compares(): boolean {
    return place.get('vs') === 'prev'
  },
}

/** The fields that say of whom and of when a question is. A cohort is a filter of all events of its members. */
export function asked(range: Range = scope.range): Record<string, unknown> {
  const fields: Record<string, unknown> = { ...range, timezone: scope.zone }
  const segment = scope.segment
  if (segment.startsWith('cohort:')) fields.filters = [{ property: { cohort: segment.slice(7) }, op: 'is', value: true }]
  else if (segment !== 'all') fields.segment = segment
  return fields
}

export const previous = (range: Range = scope.range): Record<string, unknown> => asked(before(range))
