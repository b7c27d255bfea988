import { createRequire } from 'node:module'
import { BASE, enter, expect, test } from './base'

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

const PAGES = ['/', '/funnels?by=country', '/funnels?tab=lost', '/cohorts', '/journeys', '/engagement', '/adoption', '/forecasts', '/forecasts?tab=churn', '/forecasts?tab=came', '/journeys?tab=matrix', '/dashboards', '/alerts', '/exports', '/people', '/audit', '/catalogue', '/server']

// In halves, so that both workers have something to do.
const half = Math.ceil(PAGES.length / 2)
for (const [scheme, pages] of [PAGES.slice(0, half), PAGES.slice(half)].flatMap((pages) => [['light', pages], ['dark', pages]] as const)) {
  test(`axe finds nothing, ${scheme}, from ${pages[0]} on`, async ({ browser }) => {
    test.setTimeout(240_000)
    // The content policy forbids the script that axe is; it is let in here alone.
    const context = await browser.newContext({ bypassCSP: true, colorScheme: scheme, reducedMotion: 'reduce', viewport: { width: 1440, height: 900 } })
    const page = await context.newPage()
    await enter(page)
    const wrong: string[] = []
    for (const path of pages) {
      await page.goto(BASE() + path)
      await expect(page.locator('main h1')).toBeVisible()
      await expect(page.locator('.loading, [aria-busy=true]')).toHaveCount(0)
      await page.addScriptTag({ path: AXE })
      const found = await page.evaluate(async () => {
        const axe = (window as unknown as { axe: { run: (on: Document, how: object) => Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> } }).axe
        const { violations } = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })
        return violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.html.slice(0, 160)} ${n.failureSummary.slice(0, 220)}`).join(' | ')}`)
      })
      wrong.push(...found.map((f) => `${path} ${f}`))
    }
    await context.close()
    expect(wrong).toEqual([])
  })
}

test('a phone has a bar below, and nothing is wider than its screen', async ({ browser }) => {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true })
  const page = await context.newPage()
  await enter(page)
  for (const path of PAGES) {
    await page.goto(BASE() + path)
    await expect(page.locator('main h1')).toBeVisible()
    await expect(page.locator('.loading, [aria-busy=true]')).toHaveCount(0)
    expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(390)
  }
  await page.getByRole('button', { name: 'More', exact: true }).last().click()
  await page.locator('.sheet').getByRole('link', { name: 'Cohorts' }).click()
  await expect(page).toHaveURL(/\/cohorts/)
  await context.close()
})

test('paper has no navigation, is light, and says what it is of', async ({ page }) => {
  await enter(page)
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
  await page.goto(`${BASE()}/funnels?tz=UTC`)
  await expect(page.getByText(/Funnels · .* · UTC/)).toBeVisible()
  await expect(page.getByRole('navigation', { name: 'Pages' }).first()).toBeHidden()
  expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(255, 255, 255)')
})

test('the keyboard reaches every page, and help says how', async ({ page }) => {
  await enter(page)
  await page.goto(`${BASE()}/`)
  await expect(page.locator('.cards li')).toHaveCount(6)
  await page.keyboard.press('g')
  await page.keyboard.press('c')
  await expect(page).toHaveURL(/\/cohorts/)
  await page.keyboard.press('?')
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)
})
