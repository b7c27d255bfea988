import { literal } from './event'

/** The funnel's builder as the query string holds it: one compact JSON value. */
export interface Where {
  p: string
  o: string
  v: string
}

export interface Step {
  /** The event; empty for any. */
  e: string
  w?: Where[]
  /** Optional. */
  o?: 1
}

export interface Exclusion {
  e: string
  from?: number
  to?: number
}

/** Steps without filters are written as names with commas, which read well in a link. */
export function write(steps: Step[]): string {
  const plain = steps.every((s) => !s.w?.length && !s.o && s.e !== '' && !/[,[\]{}"]/.test(s.e))
  return plain ? steps.map((s) => s.e).join(',') : JSON.stringify(steps)
}

export function read(text: string | null): Step[] | null {
  if (!text) return null
  if (!text.startsWith('[')) return text.split(',').map((e) => ({ e }))
  try {
    const value: unknown = JSON.parse(text)
    if (!Array.isArray(value)) return null
    return value.filter((s): s is Step => typeof s === 'object' && s !== null && typeof (s as Step).e === 'string')
  } catch {
    return null
  }
}

/** What stands before a colon says whose property it is: `user:plan`; anything else is the event's. */
export function property(text: string): unknown {
  if (text.startsWith('user:')) return { user: text.slice(5) }
  if (text.startsWith('cohort:')) return { cohort: text.slice(7) }
  return text
}

export function filter(where: Where): Record<string, unknown> {
  const bare = where.o === 'exists' || where.o === 'not_exists'
  const value = where.v
    .split('|')
    .map((v) => v.trim())
    .filter((v) => v !== '')
    .map(literal)
  return bare ? { property: property(where.p), op: where.o } : { property: property(where.p), op: where.o, value: value.length === 1 ? value[0] : value }
}

export const complete = (where: Where): boolean => where.p !== '' && (where.o === 'exists' || where.o === 'not_exists' || where.v.trim() !== '')

/** A step as the API takes it. */
export function question(step: Step): unknown {
  const event = step.e === '' ? null : step.e
  const filters = (step.w ?? []).filter(complete).map(filter)
  if (!filters.length && !step.o) return event
  const out: Record<string, unknown> = { event }
  if (filters.length) out.where = filters
  if (step.o) out.optional = true
  return out
}
