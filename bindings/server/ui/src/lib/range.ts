/** The ranges of the picker, as civil dates in the report's zone. A range of "last n days" holds complete days only. */
export interface Range {
  startDate: string
  endDate: string
}

export const PRESETS: [string, string][] = [
  ['today', 'Today so far'],
  ['yesterday', 'Yesterday'],
  ['7d', 'Last 7 days'],
  ['14d', 'Last 14 days'],
  ['30d', 'Last 30 days'],
  ['90d', 'Last 90 days'],
  ['week', 'This week'],
  ['lastweek', 'Last week'],
  ['month', 'This month'],
  ['lastmonth', 'Last month'],
]

export const DEFAULT = '30d'

/** The civil date in a zone. */
export function today(zone: string, now = new Date()): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(now)
}

/** So many days later; civil dates know no hours, hence no clock changes. */
export function plus(date: string, days: number): string {
  const at = new Date(`${date}T00:00:00Z`)
  at.setUTCDate(at.getUTCDate() + days)
  return at.toISOString().slice(0, 10)
}

/** How many days the range has, both ends included. */
export function days(range: Range): number {
  return Math.round((Date.parse(range.endDate) - Date.parse(range.startDate)) / 86_400_000) + 1
}

export type Per = 'daily' | 'weekly' | 'monthly'

/** The period that a range is read by: of more than four months days are too many, of more than three years weeks. */
export const usually = (range: Range): Per => (days(range) > 1100 ? 'monthly' : days(range) > 122 ? 'weekly' : 'daily')

/** A period that was chosen, or the usual one; longer where it would make more points than can be drawn, or read. */
export function readable(chosen: string | null, range: Range): Per {
  const per = chosen === 'daily' || chosen === 'weekly' || chosen === 'monthly' ? chosen : usually(range)
  if (per === 'monthly' || days(range) > 7 * 800) return 'monthly'
  return per === 'weekly' || days(range) > 800 ? 'weekly' : 'daily'
}

const weekday = (date: string): number => (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7

/** The range of a preset; of the default where there is no such preset. */
export function preset(name: string, day: string): Range {
  const yesterday = plus(day, -1)
  const month = `${day.slice(0, 8)}01`
  switch (name) {
    case 'today':
      return { startDate: day, endDate: day }
    case 'yesterday':
      return { startDate: yesterday, endDate: yesterday }
    case 'week':
      return { startDate: plus(day, -weekday(day)), endDate: day }
    case 'lastweek':
      return { startDate: plus(day, -weekday(day) - 7), endDate: plus(day, -weekday(day) - 1) }
    case 'month':
      return { startDate: month, endDate: day }
    case 'lastmonth': {
      const last = plus(month, -1)
      return { startDate: `${last.slice(0, 8)}01`, endDate: last }
    }
    default: {
      const count = /^[1-9]\d{0,3}d$/.test(name) ? Number.parseInt(name, 10) : 30
      return { startDate: plus(day, -count), endDate: yesterday }
    }
  }
}

export const isDate = (text: string | null): text is string => {
  if (text === null || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const at = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().slice(0, 10) === text
}

/** The range of a query string. */
export function read(query: URLSearchParams, zone: string, now = new Date()): Range {
  const [from, to] = [query.get('from'), query.get('to')]
  if (isDate(from) && isDate(to) && from <= to) return { startDate: from, endDate: to }
  return preset(query.get('last') ?? DEFAULT, today(zone, now))
}

/** As long a range right before. */
export function before(range: Range): Range {
  const length = days(range)
  return { startDate: plus(range.startDate, -length), endDate: plus(range.endDate, -length) }
}

/** A range as the API takes it: of one day, its end is a moment, which is now where the day is not over. */
export const wire = (range: Range, day: string, now: string): Range =>
  range.startDate !== range.endDate ? range : { startDate: range.startDate, endDate: range.endDate === day ? now : `${plus(range.endDate, 1)}T00:00:00` }

/** As long a range right before. Where the range is not over, no later than the same time of day: a part is held against as much. */
export function wireBefore(range: Range, day: string, time: string): Range {
  const then = before(range)
  return range.endDate === day ? { ...then, endDate: `${then.endDate}T${time}` } : wire(then, day, '')
}

/** The time of day in a zone. */
export const timeOfDay = (zone: string, now: Date): string => new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(now)

/** Offsets are no zones: they know no clock changes, and the API takes none. */
export const isZone = (zone: string): boolean => {
  if (!/^[A-Z]/i.test(zone)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}
