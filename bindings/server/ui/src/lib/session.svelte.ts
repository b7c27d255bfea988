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

/** Finds out who is logged in; a code in the link's fragment logs in once. */
export async function begin(): Promise<void> {
  const code = /^#enter=([\w-]+)$/.exec(location.hash)?.[1]
  if (code) {
    history.replaceState(null, '', location.pathname + location.search)
    await login({ code })
    // A link that was used before does not matter to somebody who is logged in already.
    session.first = session.who !== null
    if (session.who) return
  }
  const failed = session.error
  try {
    session.who = (await call(get('session'))).data
    session.error = null
  } catch (error) {
    session.error = failed ?? (error instanceof ApiError && (error.status !== 401 || error.code === 'not_logged_in') ? error : null)
  }
  session.known = true
}

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
    session.error = error instanceof ApiError ? error : new ApiError(0, 'unexpected', String(error))
  }
}

export async function logout(): Promise<void> {
  await call(remove('session'))
  forget()
  session.who = null
  session.ended = false
}
