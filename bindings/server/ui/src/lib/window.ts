/** Windows as questions write them: `7d`, `12h`, `30m`. */
export const WINDOW_UNITS: [string, string, number][] = [
  ['m', 'minutes', 60],
  ['h', 'hours', 3600],
  ['d', 'days', 86_400],
]

export function parse(text: string | null): { n: number; unit: string } | null {
  const found = /^([1-9]\d{0,5})([mhd])$/.exec(text ?? '')
  if (!found) return null
  const [n, unit] = [Number(found[1]), found[2]!]
  // None is longer than 100 years.
  return n * WINDOW_UNITS.find((u) => u[0] === unit)![2] <= 36_500 * 86_400 ? { n, unit } : null
}

export function words(text: string): string {
  const { n, unit } = parse(text) ?? { n: 14, unit: 'd' }
  const name = WINDOW_UNITS.find((u) => u[0] === unit)![1]
  return `${n} ${n === 1 ? name.slice(0, -1) : name}`
}
