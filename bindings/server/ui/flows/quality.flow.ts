import { createRequire } from 'node:module'
import type { Page } from '@playwright/test'
import { BASE, OURS, enter, expect, send, test } from './base'

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

const PAGES = ['/', '/funnels?by=country', '/funnels?tab=lost', '/cohorts', '/journeys', '/engagement', '/adoption', '/forecasts', '/forecasts?tab=churn', '/forecasts?tab=came', '/journeys?tab=matrix', '/dashboards', '/alerts', '/exports', '/people', '/audit', '/catalogue', '/server']

/** What axe has against the page as it stands. */
async function faults(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: AXE })
  return page.evaluate(async () => {
    const axe = (window as unknown as { axe: { run: (on: Document, how: object) => Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> } }).axe
    const { violations } = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })
    return violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.html.slice(0, 160)} ${n.failureSummary.slice(0, 220)}`).join(' | ')}`)
  })
}

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
      const found = await faults(page)
      wrong.push(...found.map((f) => `${path} ${f}`))
    }
    await context.close()
    expect(wrong).toEqual([])
  })
}

for (const scheme of ['light', 'dark'] as const) {
  test(`axe finds nothing in what opens, ${scheme}`, async ({ browser }) => {
    test.setTimeout(240_000)
    const context = await browser.newContext({ bypassCSP: true, colorScheme: scheme, reducedMotion: 'reduce', viewport: { width: 1440, height: 900 } })
    const page = await context.newPage()
    await enter(page)
    const made = await page.request.post(`${BASE()}/api/analytics-dashboard/templates/executive-overview`, { data: { name: `Axe ${scheme}` }, headers: OURS })
    const { data } = (await made.json()) as { data: { _id: string } }
    const wrong: string[] = []
    const look = async (what: string): Promise<void> => {
      await expect(page.locator('.loading, [aria-busy=true]')).toHaveCount(0)
      wrong.push(...(await faults(page)).map((f) => `${what} ${f}`))
    }
    await page.goto(`${BASE()}/alerts`)
    await page.getByRole('button', { name: 'New alert' }).click()
    await page.getByLabel('A number of an answer').check()
    await page.locator('dialog summary').click()
    await page.getByRole('button', { name: 'Add a pause' }).click()
    await look('alert')
    await page.getByRole('combobox', { name: 'Number', exact: true }).selectOption('own')
    await look('own alert')
    await page.goto(`${BASE()}/funnels?steps=view_trip,start_booking,complete_booking&not=search&by=country&hold=tripId`)
    await page.locator('[data-step]').nth(1).hover()
    await page.getByRole('button', { name: 'Time to step 2' }).click()
    await look('builder')
    await page.locator('main tbody tr').nth(1).locator('.door').first().click()
    await look('people')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: /^Range/ }).click()
    await look('range')
    await page.keyboard.press('Escape')
    await page.keyboard.press('/')
    await page.getByRole('combobox', { name: 'Search' }).fill('a')
    await look('search')
    await page.goto(`${BASE()}/dashboards/${data._id}`)
    await look('dashboard')
    await page.goto(`${BASE()}/dashboards/${data._id}?edit=1`)
    await look('editor')
    await page.getByRole('button', { name: 'Widget', exact: true }).click()
    await page.getByText('How far people get').click()
    await look('widget')
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
    // As wide as a screen of 1280 px is at four times its size.
    await page.setViewportSize({ width: 320, height: 640 })
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth), { message: `${path}, 320` }).toBeLessThanOrEqual(320)
    await page.setViewportSize({ width: 390, height: 844 })
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

test('charts fit the paper that a wide window is printed to', async ({ page }) => {
  await enter(page)
  await page.goto(`${BASE()}/engagement?tz=UTC`)
  await expect(page.locator('main section').first()).toHaveAttribute('aria-busy', 'false')
  await expect(page.locator('.chart svg').first()).toBeVisible()
  const wide = (): Promise<number> => page.locator('.chart svg').first().evaluate((svg) => svg.getBoundingClientRect().width)
  const before = await wide()
  // What is on the paper is measured while it is printed.
  await page.evaluate(() => {
    const print = matchMedia('print')
    print.addEventListener('change', () => {
      const over = [...document.querySelectorAll('.chart')].flatMap((c) => [...c.querySelectorAll('svg, svg text')].map((e) => e.getBoundingClientRect().right - c.getBoundingClientRect().right))
      if (print.matches) Object.assign(window, { printed: { over: Math.max(...over), width: document.querySelector('.chart svg')!.getAttribute('width'), skip: getComputedStyle(document.querySelector('.skip')!).display } })
    })
  })
  await page.pdf({ format: 'A4' })
  const printed = await page.evaluate(() => (window as unknown as { printed: { over: number; width: string; skip: string } }).printed)
  expect(printed.over).toBeLessThanOrEqual(1)
  expect(Number(printed.width)).toBeLessThan(before)
  expect(printed.skip).toBe('none')
  await expect.poll(wide).toBe(before)
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

test('every preset is answered on every page, of one day too, and a part is held against as much', async ({ page }) => {
  await enter(page)
  const asked: { startDate: string; endDate: string }[] = []
  page.on('request', (request) => {
    if (request.url().includes('/query/engagement')) asked.push(request.postDataJSON() as { startDate: string; endDate: string })
  })
  for (const path of ['funnels', 'cohorts?per=daily', 'journeys', 'engagement', 'adoption', 'people']) {
    for (const last of ['today', 'yesterday']) {
      await page.goto(`${BASE()}/${path}${path.includes('?') ? '&' : '?'}last=${last}&vs=prev`)
      await expect(page.locator('main section').first()).toHaveAttribute('aria-busy', 'false')
      await expect(page.locator('main [role=alert]'), `${path} ${last}`).toHaveCount(0)
    }
  }
  const now = asked.filter((a) => /T\d\d:\d\d:\d\d/.test(a.endDate) && !a.endDate.endsWith('T00:00:00'))
  expect(now.length).toBeGreaterThan(1)
})

test('an event that there is not is said to be none, wherever one is asked for', async ({ page }) => {
  await enter(page)
  for (const path of ['funnels?steps=searxh,view_trip', 'funnels?not=searxh', 'cohorts?start=searxh', 'cohorts?back=searxh', 'journeys?start=searxh', 'journeys?end=searxh', 'engagement?event=searxh', 'people?event=searxh']) {
    await page.goto(`${BASE()}/${path}`)
    await expect(page.getByText('No event “searxh” in the last 90 days.'), path).toBeVisible()
  }
  await page.goto(`${BASE()}/funnels?steps=searxh,view_trip`)
  await page.locator('.missing').getByRole('button', { name: 'search' }).click()
  await expect(page).toHaveURL(/steps=search,view_trip/)
  await expect(page.locator('.missing')).toHaveCount(0)
})

test('values and events that are written alike are told apart', async ({ page }) => {
  await enter(page)
  const ts = (n: number): string => new Date(Date.now() - 200 * 86_400_000 + n * 1000).toISOString()
  const values: unknown[] = [10, '10', null, '(not set)', true, 'true', 'مرحبا بالعالم', 'L'.repeat(300)]
  await send(page, values.flatMap((v, i) => [{ userId: `alike-${i}`, name: 'Other', ts: ts(i * 2), properties: { v } }, { userId: `alike-${i}`, name: 'End', ts: ts(i * 2 + 1), properties: { v } }]))
  const [from, to] = [199, 201].map((n) => new Date(Date.now() - n * 86_400_000).toISOString().slice(0, 10)).reverse()
  const range = `from=${from}&to=${to}`
  for (const path of [`funnels?steps=Other,End&by=v&${range}`, `funnels?steps=Other,End&tab=compare&against=v&${range}`, `cohorts?by=v&per=daily&${range}`, `journeys?tab=matrix&${range}`, `journeys?tab=nodes&${range}`]) {
    await page.goto(`${BASE()}/${path}`)
    await expect(page.locator('main table').first(), path).toBeVisible()
    await expect(page.locator('main [role=alert]'), path).toHaveCount(0)
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), path).toBeLessThanOrEqual(0)
  }
  await page.goto(`${BASE()}/funnels?steps=Other,End&by=v&${range}`)
  await expect(page.getByRole('rowheader', { name: '10', exact: true })).toBeVisible()
  await expect(page.getByRole('rowheader', { name: '“10”', exact: true })).toBeVisible()
})
