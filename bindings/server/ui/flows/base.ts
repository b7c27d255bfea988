import { test as base, expect, type Page } from '@playwright/test'

const of = (name: string): string => {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: flows are run by \`make test-browser\``)
  return value
}

export const BASE = (): string => of('FLOW_BASE')
export const LINK = (): string => of('FLOW_LINK')

/** Logs the page's browser in as somebody of a role. */
export async function enter(page: Page, role: 'admin' | 'analyst' | 'viewer' = 'admin', at = BASE()): Promise<void> {
  const answer = await page.request.post(`${at}/api/analytics-dashboard/session`, {
    data: { token: of(`FLOW_${role.toUpperCase()}`) },
    headers: { 'x-requested-with': 'travelsense' },
  })
  expect(answer.ok()).toBe(true)
}

/** What no other site can make a browser send. */
export const OURS = { 'x-requested-with': 'travelsense' }

/** Sends events as a program does that collects them. */
export async function send(page: Page, events: unknown[]): Promise<void> {
  const answer = await page.request.post(`${BASE()}/api/analytics-dashboard/events`, { data: events, headers: { authorization: `Bearer ${of('FLOW_COLLECTOR')}` } })
  expect(answer.ok(), await answer.text()).toBe(true)
}

/** A page that fails its test where the browser complains: of a script, of the content policy, of a request to elsewhere. */
export const test = base.extend<{ page: Page }>({
  page: async ({ page }, use) => {
    const wrong: string[] = []
    page.on('pageerror', (error) => wrong.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error' && !/status of (4|5)\d\d|net::ERR_FAILED/.test(message.text())) wrong.push(message.text())
    })
    page.on('request', (request) => {
      const url = new URL(request.url())
      if (url.protocol.startsWith('http') && url.hostname !== '127.0.0.1') wrong.push(`a request to ${url.host}`)
    })
    await use(page)
    expect(wrong).toEqual([])
  },
})

/** A count as it is written: without the thousands' separators. */
export const number = (text: string | null): number => Number((text ?? '').replace(/[^\d-]/g, ''))

export { expect }
