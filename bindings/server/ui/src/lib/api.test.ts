import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError, call, get } from './api'

/** What the server answers: a status and a body. */
const answer = (status: number, body: string): Response => new Response(body, { status, headers: { 'content-type': 'application/json', 'x-request-id': 'r1' } })
const meta = { requestId: 'r1', version: '1' }
const refused = answer.bind(null, 401, JSON.stringify({ code: 'token_missing', detail: 'Log in.', requestId: 'r1' }))

afterEach(() => vi.unstubAllGlobals())

describe('an answer', () => {
  const asked = (body: string): Promise<unknown> => {
    vi.stubGlobal('fetch', () => Promise.resolve(answer(200, body)))
    return call(get('catalogue'))
  }

  it('has data and what they stand on', async () => {
    expect(await asked(JSON.stringify({ data: [1], meta }))).toEqual({ data: [1], meta, tag: null })
  })

  it('of anything else cannot be read, and says so', async () => {
    for (const body of ['', 'null', '{}', '[]', '"x"', '{"data":null}', '{"data":[1]}', '{"meta":{}}', '{"data":null,"meta":{}}', '<html></html>']) {
      const error = await asked(body).catch((e: unknown) => e)
      expect(error, body).toBeInstanceOf(ApiError)
      expect(error, body).toMatchObject({ code: 'unreadable', status: 200, requestId: 'r1' })
    }
  })
})

describe('who is logged in', () => {
  let session: typeof import('./session.svelte')
  const who = JSON.stringify({ data: { userId: 'u', role: 'admin', permissions: ['read_analytics'] }, meta })

  beforeEach(async () => {
    vi.resetModules()
    vi.stubGlobal('location', { hash: '', pathname: '/funnels', search: '?last=7d', href: 'http://x/funnels?last=7d' })
    vi.stubGlobal('history', { replaceState: () => (location.hash = '') })
    session = await import('./session.svelte')
  })

  it('is not known where the server does not say, and is asked again', async () => {
    for (const fails of [() => answer(500, ''), () => answer(502, '<html></html>'), () => answer(200, '<html></html>'), () => answer(200, '{}')]) {
      vi.stubGlobal('fetch', () => Promise.resolve(fails()))
      await session.begin()
      expect(session.session).toMatchObject({ who: null, known: false })
      expect(session.session.error).not.toBeNull()
    }
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no network')))
    await session.begin()
    expect(session.session).toMatchObject({ who: null, known: false, error: { code: 'unreachable' } })
    vi.stubGlobal('fetch', () => Promise.resolve(answer(200, who)))
    await session.begin()
    expect(session.session).toMatchObject({ who: { userId: 'u' }, known: true, error: null })
  })

  it('is nobody where the server says so', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(refused()))
    await session.begin()
    expect(session.session).toMatchObject({ who: null, known: true, error: null })
  })

  it('is found out by the code of a link, which is kept until it was taken or refused', async () => {
    location.hash = '#enter=abc'
    const sent: (string | undefined)[] = []
    const server = (reply: () => Response) => vi.stubGlobal('fetch', (_: string, init: RequestInit) => (sent.push(init.body as string | undefined), Promise.resolve(reply())))
    server(() => answer(500, ''))
    await session.begin()
    expect(session.session).toMatchObject({ who: null, known: false })
    expect(location.hash).toBe('')
    server(refused)
    await session.begin()
    expect(session.session).toMatchObject({ who: null, known: true, error: { code: 'token_missing' } })
    server(refused)
    await session.begin()
    expect(sent.map((body) => body !== undefined)).toEqual([true, false, true, false, false])
  })
})
