import { DEFINITIONS } from './definitions'
import { PAGES } from './pages'

/** Something that can be gone to from the search. */
export interface Found {
  kind: string
  title: string
  note?: string
  /** A path with its filters. */
  to?: { path: string; query?: Record<string, string> }
  /** A definition that is read where it is found. */
  term?: string
}

/** How well a text fits what is typed: every word must begin a word of it, the earlier the better; 0 for not at all. */
export function fit(text: string, typed: string): number {
  const of = text.toLowerCase()
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean)
  let sum = 0
  for (const word of words) {
    const at = of.indexOf(word)
    if (at < 0) return 0
    const starts = at === 0 || /[^\p{L}\p{N}]/u.test(of[at - 1]!)
    sum += (starts ? 2 : 1) / (1 + at / 40)
  }
  return words.length ? sum / words.length + 1 / (1 + of.length / 20) : 0
}

export interface Known {
  may: (permission: string) => boolean
  events: string[]
  dashboards: { _id: string; name: string }[]
  cohorts: { name: string }[]
}

const MOST = 12

/** What fits what is typed; all pages where nothing is. */
export function find(typed: string, known: Known): Found[] {
  const text = typed.trim()
  const pages: Found[] = PAGES.filter((p) => known.may(p.permission)).map((p) => ({ kind: 'Page', title: p.title, to: { path: p.path }, note: `g ${p.key}` }))
  if (!text) return pages
  const reads = known.may('read_analytics')
  const all: Found[] = [
    ...pages,
    ...known.dashboards.map((d): Found => ({ kind: 'Dashboard', title: d.name, to: { path: `/dashboards/${d._id}` } })),
    ...known.cohorts.map((c): Found => ({ kind: 'Cohort', title: c.name, note: 'Only these people', to: { path: '/engagement', query: { seg: `cohort:${c.name}` } } })),
    ...(reads ? known.events : []).flatMap((e): Found[] => [
      { kind: 'Event', title: e, note: 'How often', to: { path: '/engagement', query: { event: e } } },
      { kind: 'Event', title: e, note: 'What comes after', to: { path: '/journeys', query: { start: e } } },
    ]),
    ...Object.entries(DEFINITIONS).map(([term, d]): Found => ({ kind: 'Definition', title: d.title, term })),
  ]
  const order = ['Page', 'Dashboard', 'Cohort', 'Event', 'Definition']
  const found = all
    .map((f) => ({ f, score: fit(f.title, text) }))
    .filter((x) => x.score > 0)
    .sort((a, b) => b.score - a.score || order.indexOf(a.f.kind) - order.indexOf(b.f.kind))
    .slice(0, MOST)
    .map((x) => x.f)
  if (known.may('read_people') && text.length > 1 && !/\s/.test(text)) found.push({ kind: 'Person', title: text, note: 'Their profile, by id', to: { path: `/people/${encodeURIComponent(text)}` } })
  return found
}
