import type { Page } from '@playwright/test'
import { BASE, enter, expect, test } from './base'

/** Every page in light, dark, on a phone and on paper, into `node_modules/.screenshots`; `make screenshots`. */
const PAGES: [string, string][] = [
  ['live', '/'],
  ['funnels', '/funnels?by=country'],
  ['drop-off', '/funnels?tab=lost'],
  ['trend', '/funnels?tab=trend'],
  ['compare', '/funnels?tab=compare'],
  ['cohorts', '/cohorts'],
  ['curves', '/cohorts?look=curves'],
  ['journeys', '/journeys'],
  ['engagement', '/engagement'],
  ['adoption', '/adoption'],
  ['forecasts', '/forecasts'],
  ['churn', '/forecasts?tab=churn'],
  ['feedback', '/forecasts?tab=came'],
  ['matrix', '/journeys?tab=matrix'],
  ['dashboards', '/dashboards'],
  ['alerts', '/alerts'],
  ['exports', '/exports'],
  ['people', '/people'],
  ['audit', '/audit'],
  ['catalogue', '/catalogue'],
  ['health', '/server'],
]
const LOOKS = [
  { name: 'light', viewport: { width: 1440, height: 900 }, colorScheme: 'light' },
  { name: 'dark', viewport: { width: 1440, height: 900 }, colorScheme: 'dark' },
  { name: 'phone', viewport: { width: 390, height: 844 }, colorScheme: 'light' },
  { name: 'print', viewport: { width: 1000, height: 900 }, colorScheme: 'light' },
] as const

/** Some weeks of forecasts with what came of them, the last of them more than was expected. */
async function foretell(page: Page, to: string): Promise<void> {
  const day = (n: number): string => new Date(Date.now() + (n - 40) * 86_400_000).toISOString().slice(0, 10)
  const expected = (n: number): number => 40 + 8 * Math.sin((n * 2 * Math.PI) / 7)
  const headers = { 'x-requested-with': 'travelsense' }
  for (let n = 0; n < 40; n += 1) {
    const ahead = [n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6]
    const off = (add: number): number[] => ahead.map((d, h) => Math.round(expected(d) + add * (1 + h / 6)))
    await page.request.post(`${to}/predictions`, { data: { model: 'bookings@3', ds: ahead.map(day), mean: off(0), lower: off(-9), upper: off(9) }, headers })
  }
  const past = Array.from({ length: 40 }, (_, n) => n)
  await page.request.post(`${to}/actuals`, { data: { ds: past.map(day), y: past.map((n) => Math.round(expected(n) + 6 * Math.sin(n * 1.7) + (n > 32 ? 8 : 0))) }, headers })
}

/** Rules, a cohort and an export, so that no list is empty. */
async function furnish(page: Page): Promise<void> {
  const api = `${BASE()}/api/analytics-dashboard`
  const headers = { 'x-requested-with': 'travelsense' }
  if (((await (await page.request.get(`${api}/alerts`)).json()) as { data: unknown[] }).data.length) return
  const channels = [{ type: 'in_app', roles: ['admin'] }]
  const rules = [
    { name: 'Errors', severity: 'critical', source: { metric: 'error_rate', timeRange: 'last_15_minutes' }, condition: { type: 'threshold', above: 0.05, recover: 0.03 }, channels },
    { name: 'Conversion falls', source: { word: 'funnel', question: { steps: ['search', 'complete_booking'], window: '7d' }, lastDays: 7, value: '/rate/value', low: '/rate/low', high: '/rate/high' }, condition: { type: 'change', by: 0.15, direction: 'down', against: 'week_before' }, schedule: { at: '08:00', timezone: 'Europe/Paris' }, channels },
    { name: 'Nothing comes in', severity: 'critical', source: { system: 'freshness' }, condition: { type: 'threshold', above: 900 }, channels },
    { name: 'Unusual traffic', severity: 'info', source: { metric: 'active_users', timeRange: 'last_hour' }, condition: { type: 'anomaly' }, channels },
  ]
  for (const data of rules) {
    const made = (await (await page.request.post(`${api}/alerts`, { data, headers })).json()) as { data: { _id: string } }
    if (data.name === 'Errors') await page.request.post(`${api}/alerts/${made.data._id}/test`, { headers })
  }
  const day = (back: number): string => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10)
  for (const [exportType, format] of [['report', 'pdf'], ['dataset', 'csv'], ['dashboard', 'xlsx']]) await page.request.post(`${api}/export`, { data: { exportType, format, dateRange: { startDate: day(30), endDate: day(1), timezone: 'Europe/Paris' } }, headers })
  await page.request.put(`${api}/cohorts/Bookers`, { data: { did: 'complete_booking', atLeast: 2, last: '90d' }, headers })
}

for (const { name: look, viewport, colorScheme } of LOOKS) {
  test(look, async ({ browser }) => {
    test.setTimeout(480_000)
    const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'Europe/Paris' })
    const page = await context.newPage()
    await enter(page)
    const made = await page.request.post(`${BASE()}/api/analytics-dashboard/templates/executive-overview`, { data: { name: 'Executive overview' }, headers: { 'x-requested-with': 'travelsense' } })
    const { data } = (await made.json()) as { data: { _id: string } }
    const kept = `${BASE()}/api/analytics-dashboard/feedback/Bookings`
    if ((await page.request.get(kept)).status() === 404) await foretell(page, kept)
    await furnish(page)
    if (look === 'print') await page.emulateMedia({ media: 'print' })
    for (const [name, path] of [...PAGES, ['dashboard', `/dashboards/${data._id}`], ['builder', `/dashboards/${data._id}?edit=1`]] as [string, string][]) {
      await page.goto(BASE() + path)
      await expect(page.locator('main h1, main .name').first()).toBeVisible()
      await expect(page.locator('.loading, [aria-busy=true]')).toHaveCount(0)
      await page.screenshot({ path: `node_modules/.screenshots/${name}-${look}.png`, fullPage: true })
    }
    if (look !== 'print') {
      await page.goto(`${BASE()}/alerts`)
      await page.getByRole('button', { name: 'Change Conversion falls' }).click()
      await page.screenshot({ path: `node_modules/.screenshots/alert-form-${look}.png` })
      await page.goto(`${BASE()}/funnels?steps=view_trip,start_booking,complete_booking&by=country&not=${encodeURIComponent('[{"e":"error","from":2}]')}&hold=tripId&worth=1`)
      await expect(page.locator('.loading, [aria-busy=true]')).toHaveCount(0)
      await page.locator('main tbody tr').nth(1).locator('.door').first().click()
      await expect(page.locator('.loading, [aria-busy=true]')).toHaveCount(0)
      await page.screenshot({ path: `node_modules/.screenshots/builder-people-${look}.png` })
    }
    await context.close()
  })
}
