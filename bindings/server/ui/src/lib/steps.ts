import { literal } from './event'
import { parse } from './window'

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
  /** No sooner, and no later, after the step before. */
  min?: string
  max?: string
}

/** An event that may not come between two steps: by default between the first and the last. */
export interface Exclusion {
  e: string
  from?: number
  to?: number
}

/** What a funnel counts where it does not count people, of whom one may have several. */
export function counted(question: Record<string, unknown>): 'sessions' | 'attempts' | null {
  return question.unit === 'sessions' ? 'sessions' : question.unit === 'totals' ? 'attempts' : null
}

/** Steps without filters are written as names with commas, which read well in a link. */
export function write(steps: Step[]): string {
  const plain = steps.every((s) => !s.w?.length && !s.o && !s.min && !s.max && bare(s.e))
  return plain ? steps.map((s) => s.e).join(',') : JSON.stringify(steps)
}

const bare = (name: string): boolean => name !== '' && !/[,[\]{}"]/.test(name)

export const read = (text: string | null): Step[] | null => list<Step>(text)

/** A list of things with an event: names with commas, or JSON. */
function list<T extends { e: string }>(text: string | null): T[] | null {
  if (!text) return null
  if (!text.startsWith('[')) return text.split(',').map((e) => ({ e }) as T)
  try {
    const value: unknown = JSON.parse(text)
    if (!Array.isArray(value)) return null
    return value.filter((s): s is T => typeof s === 'object' && s !== null && typeof (s as T).e === 'string')
  } catch {
    return null
  }
}

export const writeExclusions = (all: Exclusion[]): string => (all.every((x) => !x.from && !x.to && bare(x.e)) ? all.map((x) => x.e).join(',') : JSON.stringify(all))

/** Exclusions of a funnel of so many steps: bounds that it does not have are none. */
export function readExclusions(text: string | null, steps: number): Exclusion[] {
  const within = (n: unknown): n is number => Number.isInteger(n) && (n as number) >= 1 && (n as number) <= steps
  return (list<Exclusion>(text) ?? []).map(({ e, from, to }) => {
    const [first, last] = [within(from) ? from : 1, within(to) ? to : steps]
    return { e, ...(first < last && first > 1 ? { from: first } : {}), ...(first < last && last < steps ? { to: last } : {}) }
  })
}

/** Those that name an event, as the API takes them. An optional step bounds none: where the last is one, they end with the last that is not. */
export function exclusions(all: Exclusion[], steps: Step[]): unknown[] {
  const last = steps.findLastIndex((s) => !s.o) + 1
  const end = last > 1 && last < steps.length ? { to: last } : {}
  return all.filter((x) => x.e !== '').map(({ e, ...own }) => {
    const bounds = { ...end, ...own }
    return Object.keys(bounds).length ? { event: e, ...bounds } : e
  })
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
  const gaps = { ...(gap(step.min) ? { minGap: step.min } : {}), ...(gap(step.max) ? { maxGap: step.max } : {}) }
  if (!filters.length && !step.o && !Object.keys(gaps).length) return event
  const out: Record<string, unknown> = { event, ...gaps }
  if (filters.length) out.where = filters
  if (step.o) out.optional = true
  return out
}

/** A length of time as it is typed; what is none says nothing. */
export const gap = (text: string | undefined): boolean => text !== undefined && parse(text) !== null

/** The builder's step of a step of the API; nothing where it is one that the builder cannot show. */
export function stepOf(value: unknown): Step | null {
  if (value === null) return { e: '' }
  if (typeof value === 'string') return { e: value }
  if (typeof value !== 'object' || Array.isArray(value)) return null
  const { event, where, optional, minGap, maxGap, ...rest } = value as Record<string, unknown>
  const filters = Array.isArray(where) ? where.map(whereOf) : []
  const known = Object.keys(rest).length === 0 && (event === null || event === undefined || typeof event === 'string') && filters.every((w) => w !== null)
  const gaps = [minGap, maxGap].every((g) => g === undefined || g === null || (typeof g === 'string' && gap(g)))
  if (!known || !gaps) return null
  return {
    e: event ?? '',
    ...(filters.length ? { w: filters as Where[] } : {}),
    ...(optional === true ? { o: 1 as const } : {}),
    ...(typeof minGap === 'string' ? { min: minGap } : {}),
    ...(typeof maxGap === 'string' ? { max: maxGap } : {}),
  } as Step
}

function whereOf(value: unknown): Where | null {
  if (typeof value !== 'object' || value === null) return null
  const { property: of, op = 'is', value: is, ...rest } = value as Record<string, unknown>
  const p = typeof of === 'string' ? of : Object.entries((of ?? {}) as Record<string, unknown>).map(([kind, name]) => `${kind}:${String(name)}`).join()
  const v = (Array.isArray(is) ? is : is === undefined ? [] : [is]).map(String).join('|')
  const made: Where = { p, o: String(op), v }
  // Only what would be asked again as it stands.
  return Object.keys(rest).length === 0 && JSON.stringify(filter(made)) === JSON.stringify({ property: of, op, ...(is === undefined ? {} : { value: is }) }) ? made : null
}
