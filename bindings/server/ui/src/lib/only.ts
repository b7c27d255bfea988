/** Properties and the values that they must have. */
export type Only = [property: string, value: string][]

/** The same as the API takes it. */
export type Filter = { property: string; value: unknown }

/** The API takes no more at once. */
export const MOST = 10

/** Filters as the address holds them: `country:FR,plan:premium`; what means something there is escaped. */
export const writeOnly = (list: Only): string | null => list.map((pair) => pair.map(encodeURIComponent).join(':')).join(',') || null

export function readOnly(text: string | null): Only {
  const list: Only = []
  for (const part of (text ?? '').split(',')) {
    const [property, value, ...rest] = part.split(':').map(decoded)
    if (property && value && rest.length === 0) list.push([property, value])
  }
  return list.slice(0, MOST)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
