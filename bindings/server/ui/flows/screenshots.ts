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

for (const { name: look, viewport, colorScheme } of LOOKS) {
  test(look, async ({ browser }) => {
    test.setTimeout(240_000)
    const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'Europe/Paris' })
    const page = await context.newPage()
    await enter(page)
    const made = await page.request.post(`${BASE()}/api/analytics-dashboard/templates/executive-overview`, { data: { name: 'Executive overview' }, headers: { 'x-requested-with': 'travelsense' } })
    const { data } = (await made.json()) as { data: { _id: string } }
    if (look === 'print') await page.emulateMedia({ media: 'print' })
    for (const [name, path] of [...PAGES, ['dashboard', `/dashboards/${data._id}`], ['builder', `/dashboards/${data._id}?edit=1`]] as [string, string][]) {
      await page.goto(BASE() + path)
      await expect(page.locator('main h1, main .name')).toBeVisible()
      await expect(page.locator('.loading, [aria-busy=true]')).toHaveCount(0)
      await page.screenshot({ path: `node_modules/.screenshots/${name}-${look}.png`, fullPage: true })
    }
    await context.close()
  })
}
