import { BASE, OURS, enter, expect, test } from './base'

test.beforeEach(async ({ page }) => enter(page))

test('a forecast has its band, its backtest and what an event would change', async ({ page }) => {
  await page.goto(`${BASE()}/forecasts`)
  await expect(page.locator('figure svg').first()).toBeVisible()
  await expect(page.getByRole('row', { name: /This forecast/ })).toContainText('%')
  await expect(page.getByRole('row', { name: /The last season again/ })).toContainText('%')
  await expect(page.getByRole('heading', { level: 1 })).toContainText('bookings a day')
  await page.locator('form select').first().selectOption('user_growth')
  await expect(page).toHaveURL(/what=user_growth/)
  await expect(page.getByRole('heading', { level: 1 })).toContainText('new users a day')
  await page.goBack()
  await expect(page.getByRole('heading', { level: 1 })).toContainText('bookings a day')
  const slider = page.getByRole('slider')
  await slider.focus()
  for (let i = 0; i < 15; i += 1) await page.keyboard.press('ArrowLeft')
  await expect(page).toHaveURL(/level=80/)
  await expect(page.getByText(/80%: .* to /).first()).toBeVisible()
  const day = (by: number): string => new Date(Date.now() + by * 86_400_000).toISOString().slice(0, 10)
  await page.getByLabel('Event', { exact: true }).fill('Sale: big')
  await page.getByLabel('Days', { exact: true }).fill(`${day(-20)}, ${day(-13)}, ${day(6)}`)
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  const what = page.getByRole('region', { name: 'What if' })
  await expect(what).toContainText('Sale big')
  await expect(what).toContainText(/[▲▼] [+−]/)
  await page.reload()
  await expect(what).toContainText('Sale big')
  await page.getByRole('button', { name: 'Remove Sale big' }).click()
  await expect(page).not.toHaveURL(/if=/)
})

test('churn tells who, how likely, why, and how well it knows', async ({ page }) => {
  await page.goto(`${BASE()}/forecasts?tab=churn`)
  await expect(page.getByText(/are expected not to come back/)).toBeVisible()
  await expect(page.locator('main tbody tr')).toHaveCount(25)
  await expect(page.locator('main tbody tr').first()).toContainText(/[▲▼]/)
})

test('numbers and dates are written as the browser’s locale does', async ({ browser }) => {
  const context = await browser.newContext({ locale: 'de-DE', timezoneId: 'Europe/Berlin' })
  const page = await context.newPage()
  await enter(page)
  await page.goto(`${BASE()}/engagement`)
  await expect(page.locator('.figures .big').nth(1)).toContainText(/^\d+,\d\s%/)
  await expect(page.locator('h1')).toContainText(/\d\.\s?\S*\s?–\s?\d+\./)
  await context.close()
})

test('what was foretold is held against what came, and forgotten', async ({ page }) => {
  const name = `Rooms ${Date.now()}`
  const root = `${BASE()}/api/analytics-dashboard/feedback/${encodeURIComponent(name)}`
  const day = (n: number): string => `2026-01-${String(n).padStart(2, '0')}`
  const post = async (what: string, data: unknown): Promise<void> => expect((await page.request.post(`${root}/${what}`, { data, headers: OURS })).ok()).toBe(true)
  // Twelve runs of two days each; all but the last day came, the fifth beyond all intervals.
  for (let n = 1; n <= 12; n += 1) await post('predictions', { model: 'mine@1', ds: [day(n), day(n + 1)], mean: [100, 105], lower: [80, 80], upper: [120, 120] })
  const came = Array.from({ length: 12 }, (_, i) => i + 1)
  await post('actuals', { ds: came.map(day), y: came.map((n) => (n === 5 ? 130 : 110)) })
  await page.goto(`${BASE()}/forecasts?tab=came&log=${encodeURIComponent(name)}`)
  const figures = page.locator('.figures')
  await expect(figures).toContainText('23')
  await expect(figures).toContainText('1 did not come yet')
  // 215 of 2,570.
  await expect(figures).toContainText('8.4%')
  await expect(figures).toContainText('more came than was expected')
  await expect(figures).toContainText('91.3%')
  await expect(page.getByRole('row', { name: /^1 12 10\.4%/ })).toBeVisible()
  await expect(page.getByRole('row', { name: /^2 11 6\.1%/ })).toBeVisible()
  await expect(page.locator('figure svg').first()).toBeVisible()
  await page.getByLabel('Ahead', { exact: true }).selectOption('2')
  await expect(page).toHaveURL(/ahead=2/)
  await expect(page.getByRole('heading', { name: /What was expected 2 ahead/ })).toBeVisible()
  await page.getByRole('button', { name: 'Forget it' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Forget it' }).click()
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await expect(page).not.toHaveURL(/log=/)
  expect((await page.request.get(root)).status()).toBe(404)
})

test('a forecast is kept, so that what comes can be held against it', async ({ page }) => {
  await page.goto(`${BASE()}/forecasts`)
  await expect(page.locator('figure svg').first()).toBeVisible()
  await page.getByRole('button', { name: 'Keep this forecast' }).click()
  const name = `Growth ${Date.now()}`
  await page.getByLabel('Under the name').fill(name)
  await page.getByRole('button', { name: 'Keep it' }).click()
  await expect(page).toHaveURL(/tab=came/)
  await expect(page.getByRole('heading', { level: 1 })).toContainText(name)
  await expect(page.locator('.figures')).toContainText('28 did not come yet')
  await expect(page.getByText('Nothing can be said yet.')).toBeVisible()
})
