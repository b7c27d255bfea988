import { BASE, based } from './base'

/**
 * Where the user is: the path and the query string. Every filter, tab and open panel stands in it, so that every state is a link
 * and the back button undoes the last step.
 */
let url = $state.raw(new URL(location.href))

/** A path below ours as one that begins with a slash. */
const own = (path: string): string => (`${path}/`.startsWith(BASE) ? path.slice(BASE.length - 1) : path)

/** What links from page to page keep. */
const GLOBALS = ['last', 'from', 'to', 'tz', 'seg', 'vs']

export type Patch = Record<string, string | null | undefined>

export const place = {
  get path(): string {
    return own(url.pathname).replace(/\/+$/, '') || '/'
  },
  get query(): URLSearchParams {
    return url.searchParams
  },
  get(name: string): string | null {
    return url.searchParams.get(name)
  },
}

/** Asks before a place is left where something would be lost. */
let guard: ((next: URL) => boolean) | null = null

export function hold(ask: (next: URL) => boolean): () => void {
  guard = ask
  return () => {
    if (guard === ask) guard = null
  }
}

addEventListener('popstate', () => {
  const next = new URL(location.href)
  if (guard && !guard(next)) history.pushState(null, '', url.pathname + readable(url.search))
  else url = next
})

/** The link to a page, with the range, zone and segment of now. */
export function link(path: string, patch: Patch = {}): string {
  const next = new URL(based(path), url)
  for (const name of GLOBALS) {
    const value = url.searchParams.get(name)
    if (value !== null && !next.searchParams.has(name)) next.searchParams.set(name, value)
  }
  for (const [name, value] of Object.entries(patch)) put(next, name, value)
  return next.pathname + readable(next.search)
}

/** Changes parts of the query string; `replace` leaves no trace in the history, for what changes while something is dragged or typed. */
export function set(patch: Patch, replace = false): void {
  const next = new URL(url)
  for (const [name, value] of Object.entries(patch)) put(next, name, value)
  if (next.search === url.search) return
  show(next, replace)
}

export function go(href: string, replace = false): void {
  const next = new URL(href, url)
  if (guard && !guard(next)) return
  const other = next.pathname !== url.pathname
  show(next, replace)
  if (other) scrollTo(0, 0)
}

/** Follows a plain click on a link of ours without loading the page anew. */
export function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  const anchor = (event.target as Element | null)?.closest('a')
  if (!anchor || anchor.target || anchor.hasAttribute('download') || anchor.origin !== location.origin) return
  if (own(anchor.pathname).startsWith('/api/') || anchor.getAttribute('href')?.startsWith('#')) return
  event.preventDefault()
  go(anchor.href)
}

function put(at: URL, name: string, value: string | null | undefined): void {
  if (value === null || value === undefined || value === '') at.searchParams.delete(name)
  else at.searchParams.set(name, value)
}

function show(next: URL, replace: boolean): void {
  const href = next.pathname + readable(next.search)
  if (replace) history.replaceState(null, '', href)
  else history.pushState(null, '', href)
  url = next
}

/** Commas, colons and slashes need no escapes in a query, and links are read by people. */
export function readable(search: string): string {
  return search.replaceAll('%2C', ',').replaceAll('%3A', ':').replaceAll('%2F', '/')
}
