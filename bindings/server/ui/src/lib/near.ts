/** Of how many letters two words differ, a change of places counted once; no more than `most` is told apart. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1]
      row[j] = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j]!, before[j - 2]! + 1)
    }
    ;[before, last] = [last, row]
  }
  return last[b.length]!
}

/** A name without what people write now so and now so: case, spaces, hyphens. */
const plain = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '')

/** The names that somebody may have meant, the likeliest first: those that differ in few letters, or hold what was written. */
export function near(written: string, names: string[], most = 3): string[] {
  const text = plain(written)
  if (!text) return []
  const allowed = Math.max(1, Math.floor(text.length / 4))
  return names
    .map((name) => {
      const of = plain(name)
      const far = distance(text, of, allowed)
      const holds = text.length > 2 && of.length > 2 && (of.includes(text) || text.includes(of))
      return { name, far: far <= allowed ? far : holds ? allowed + 1 : Infinity }
    })
    .filter((n) => n.far < Infinity)
    .sort((a, b) => a.far - b.far)
    .slice(0, most)
    .map((n) => n.name)
}
