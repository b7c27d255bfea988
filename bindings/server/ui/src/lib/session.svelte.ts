import { ApiError, call, get, onEnd, post, remove, type Session } from './api'
import { forget, renew } from './ask.svelte'

/** Who is logged in. */
export const session = $state({
  who: null as Session | null,
  /** Whether it is known yet. */
  known: false,
  error: null as ApiError | null,
  /** Whether the demo's link logged in just now. */
  first: false,
  /** Whether the login has ended while somebody was at work: the page stays as it is until they log in again. */
  ended: false,
})

export const may = (permission: string): boolean => session.who?.permissions.includes(permission) ?? false

onEnd(() => {
  if (session.who) session.ended = true
})

/** The code of a link that logs in, until it did or was refused. */
let code: string | undefined

/**
 * Finds out who is logged in; a code in the link's fragment logs in once. Where the server does not say, nothing is known: whoever it is
 * may be logged in all the same, and this is tried again.
 */
export async function begin(): Promise<void> {
  session.error = null
  const found = /^#enter=([\w-]+)$/.exec(location.hash)?.[1]
  if (found) {
    code = found
    history.replaceState(null, '', location.pathname + location.search)
  }
  let refused: ApiError | null = null
  if (code) {
    await login({ code })
    refused = session.error as ApiError | null
    if (!refused || says(refused)) code = undefined
    // A link that was used before does not matter to somebody who is logged in already.
    session.first = session.who !== null
    if (session.who) return
  }
  try {
    session.who = (await call(get('session'))).data
    session.error = null
    session.known = true
  } catch (failed) {
    const error = wrong(failed)
    session.known = error.status === 401
    session.error = !session.known ? error : (refused ?? (error.code === 'not_logged_in' ? error : null))
  }
}

/** Whether an error says something of who asks, rather than that there is no answer. */
const says = (error: ApiError): boolean => error.status >= 400 && error.status < 500 && error.status !== 429

const wrong = (error: unknown): ApiError => (error instanceof ApiError ? error : new ApiError(0, 'unexpected', String(error)))

export async function login(proof: { token: string } | { code: string }): Promise<void> {
  try {
    const before = session.ended ? session.who : null
    session.who = (await call(post('session', { body: proof }))).data
    session.error = null
    session.known = true
    session.ended = false
    // Somebody else has not begun what stands on the page.
    if (before && before.userId !== session.who.userId) location.reload()
    else if (before) renew()
  } catch (error) {
    session.error = wrong(error)
  }
}

export async function logout(): Promise<void> {
  await call(remove('session'))
  forget()
  session.who = null
  session.ended = false
}
