import { link, place, set } from './place.svelte'

/** The people behind a number: which word, which question, which cell. It stands in the query string, so that the panel is a link. */
export interface Behind {
  word: string
  question: Record<string, unknown>
  cell: unknown
  title: string
  /** The number, where it counts something else than people. */
  n?: number
}

export function open(behind: Behind): void {
  set({ people: JSON.stringify([behind.word, behind.question, behind.cell, behind.title, ...(behind.n === undefined ? [] : [behind.n])]) })
}

export function behind(): Behind | null {
  const text = place.get('people')
  if (!text) return null
  try {
    const [word, question, cell, title, n] = JSON.parse(text) as [string, Record<string, unknown>, unknown, string, unknown?]
    return { word, question, cell, title, ...(typeof n === 'number' ? { n } : {}) }
  } catch {
    return null
  }
}

/** The link to somebody's profile. A path holds any id but dots, which it would take for a folder. */
export function profile(person: { userId: string; anonymous: boolean }): string {
  const dots = /^\.+$/.test(person.userId)
  return link(dots ? '/people/id' : `/people/${encodeURIComponent(person.userId)}`, { ...(dots ? { id: person.userId } : {}), ...(person.anonymous ? { device: '1' } : {}) })
}

export const close = (): void => set({ people: null })
