/** Numbers and dates as people of the browser's locale write them; exact here, short on axes. */
const locale = typeof navigator === 'undefined' ? 'en' : navigator.language

const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 })
const decimal = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 })
const small = new Intl.NumberFormat(locale, { maximumSignificantDigits: 2 })
const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 })
const percents = [0, 1, 2].map((n) => new Intl.NumberFormat(locale, { style: 'percent', minimumFractionDigits: n, maximumFractionDigits: n }))

export const NONE = '–'

export const count = (n: number | null | undefined): string => (n === null || n === undefined ? NONE : whole.format(n))
/** Two decimals; what is too small for them, two digits. */
export const number = (n: number | null | undefined): string => (n === null || n === undefined ? NONE : (Math.abs(n) < 0.1 ? small : decimal).format(n))
export const short = (n: number | null | undefined): string => (n === null || n === undefined ? NONE : compact.format(n))

/** A share; one decimal, two below one percent. */
export function percent(share: number | null | undefined, digits?: 0 | 1 | 2): string {
  if (share === null || share === undefined) return NONE
  const places = digits ?? (share !== 0 && Math.abs(share) < 0.01 ? 2 : 1)
  return percents[places]!.format(share)
}

/** A probability: never written as certain where it is not. */
export const likely = (p: number): string => (p >= 0.9995 && p < 1 ? `> ${percents[1]!.format(0.999)}` : p > 0 && p < 0.00005 ? `< ${percents[2]!.format(0.0001)}` : percent(p))

const thousandths = new Intl.NumberFormat(locale, { minimumFractionDigits: 3, maximumFractionDigits: 3 })

/** A p-value, to three decimals. */
export const pValue = (p: number): string => (p < 0.001 ? `< ${thousandths.format(0.001)}` : thousandths.format(p))

/** A difference of shares, in points, with its sign. */
export function points(difference: number): string {
  const text = decimal.format(Math.round(Math.abs(difference) * 1000) / 10)
  return `${difference < 0 ? '−' : '+'}${text} pt`
}

/** A relative change with its sign and direction. */
export function change(by: number | null | undefined): string {
  if (by === null || by === undefined) return NONE
  return `${by > 0 ? '▲ +' : by < 0 ? '▼ −' : '± '}${percents[Math.abs(by) < 0.1 ? 1 : 0]!.format(Math.abs(by))}`
}

const UNITS: [number, string][] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
]

/** A length of time by its two largest units. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return NONE
  if (seconds < 1) return seconds === 0 ? '0 s' : `${Math.round(seconds * 1000)} ms`
  if (seconds < 60) return `${Math.round(seconds)} s`
  for (const [at, [size, unit]] of UNITS.entries()) {
    if (seconds < size) continue
    const next = UNITS[at + 1]
    let most = Math.floor(seconds / size)
    if (!next) return `${most} ${unit}`
    let rest = Math.round((seconds - most * size) / next[0])
    if (rest * next[0] >= size) [most, rest] = [most + 1, 0]
    return rest === 0 ? `${most} ${unit}` : `${most} ${unit} ${rest} ${next[1]}`
  }
  return NONE
}

/** A number with its unit, as the real-time metrics name them. */
export function amount(value: number | string | null | undefined, currency = 'EUR'): string {
  if (value === null || value === undefined) return NONE
  const n = Number(value)
  const digits = Math.abs(n) >= 1000 ? 0 : 2
  return new Intl.NumberFormat(locale, { style: 'currency', currency, maximumFractionDigits: digits, minimumFractionDigits: digits }).format(n)
}

const cache = new Map<string, Intl.DateTimeFormat>()

function formatter(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options)
  let made = cache.get(key)
  if (!made) {
    made = new Intl.DateTimeFormat(locale, { ...options, timeZone: zone })
    cache.set(key, made)
  }
  return made
}

export const day = (at: string | number | Date, zone: string): string => formatter(zone, { day: 'numeric', month: 'short' }).format(new Date(at))
export const dayYear = (at: string | number | Date, zone: string): string =>
  formatter(zone, { day: 'numeric', month: 'short', year: 'numeric' }).format(new Date(at))
export const month = (at: string | number | Date, zone: string): string => formatter(zone, { month: 'short', year: 'numeric' }).format(new Date(at))
export const weekday = (at: string | number | Date, zone: string): string =>
  formatter(zone, { weekday: 'short', day: 'numeric', month: 'short' }).format(new Date(at))
export const moment = (at: string | number | Date, zone: string): string =>
  formatter(zone, { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' }).format(new Date(at))
export const clock = (at: string | number | Date, zone: string): string =>
  formatter(zone, { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(new Date(at))
export const hourMinute = (at: string | number | Date, zone: string): string => formatter(zone, { hour: '2-digit', minute: '2-digit' }).format(new Date(at))

/** A period by what it is: a day, the week that begins then, a month. */
export function bucket(at: string, period: string, zone: string): string {
  return period === 'monthly' ? month(at, zone) : day(at, zone)
}

/** Both ends of a range of civil dates, without saying the year or the month twice. */
export function range(startDate: string, endDate: string): string {
  const same = new Date().getUTCFullYear() === Number(endDate.slice(0, 4)) && startDate.slice(0, 4) === endDate.slice(0, 4)
  const options: Intl.DateTimeFormatOptions = same ? { day: 'numeric', month: 'short' } : { day: 'numeric', month: 'short', year: 'numeric' }
  const format = formatter('UTC', options)
  const [from, to] = [new Date(`${startDate}T00:00:00Z`), new Date(`${endDate}T00:00:00Z`)]
  return startDate === endDate ? format.format(from) : format.formatRange(from, to)
}

/** How long ago, in words short enough for a corner. */
export function ago(at: string | number | Date, now = Date.now()): string {
  const seconds = Math.max(0, (now - new Date(at).getTime()) / 1000)
  if (seconds < 5) return 'now'
  return `${duration(seconds).split(' ').slice(0, 2).join(' ')} ago`
}

export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) return NONE
  if (n < 1000) return `${n} B`
  return n < 1_000_000 ? `${decimal.format(Math.round(n / 100) / 10)} kB` : `${decimal.format(Math.round(n / 100_000) / 10)} MB`
}
