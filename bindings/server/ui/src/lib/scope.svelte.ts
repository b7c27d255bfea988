/** What all pages share: the range, the zone, the segment and whether to compare, all from the query string. */
import { place } from './place.svelte'
import { isZone, read, timeOfDay, today, wire, wireBefore, type Range } from './range'

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

/** Now, as all questions of the same minute mean it, so that they are the same questions. */
let moment = new Date(0)
function now(): Date {
  if (Date.now() - moment.getTime() >= 60_000) moment = new Date(Math.floor(Date.now() / 1000) * 1000)
  return moment
}

export const scope = {
  get zone(): string {
    const given = place.get('tz')
    return given !== null && isZone(given) ? given : own
  },
  get range(): Range {
    return read(place.query, this.zone)
  },
  /** Whether the range goes on today: its numbers are those so far. */
  get soFar(): boolean {
    return this.range.endDate === today(this.zone)
  },
  get segment(): string {
    const given = place.get('seg') ?? 'all'
    return given.startsWith('cohort:') || SEGMENTS.some(([key]) => key === given) ? given : 'all'
  },
  get compares(): boolean {
    return place.get('vs') === 'prev'
  },
}

/** The fields that say of whom and of when a question is. A cohort is a filter of all events of its members. */
export const asked = (range: Range = scope.range): Record<string, unknown> => of(sent(range))

/** A range as it is sent. */
export const sent = (range: Range): Range => wire(range, today(scope.zone), now().toISOString())

function of(range: Range): Record<string, unknown> {
  const fields: Record<string, unknown> = { ...range, timezone: scope.zone }
  const segment = scope.segment
  if (segment.startsWith('cohort:')) fields.filters = [{ property: { cohort: segment.slice(7) }, op: 'is', value: true }]
  else if (segment !== 'all') fields.segment = segment
  return fields
}

export const previous = (range: Range = scope.range): Record<string, unknown> => of(wireBefore(range, today(scope.zone), timeOfDay(scope.zone, now())))

/** What an earlier number is called. */
export const earlier = (): string => (scope.soFar ? 'by this time before' : 'before')
