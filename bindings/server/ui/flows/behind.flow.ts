import { BASE, OURS, enter, expect, number, test } from './base'

test.beforeEach(async ({ page }) => enter(page))

type Locator = import('@playwright/test').Locator

/** Opens the people behind a number and holds how many they are against it. */
async function same(page: import('@playwright/test').Page, door: Locator): Promise<void> {
  const shown = number(await door.textContent())
  await door.click()
  const panel = page.getByRole('complementary', { name: 'People behind the number' })
  await expect(panel.locator('.total')).toBeVisible()
  expect(number(await panel.locator('.total').textContent())).toBe(shown)
  await page.keyboard.press('Escape')
  await expect(panel).toHaveCount(0)
}

test('a number of now opens the people of its window', async ({ page }) => {
  await page.goto(`${BASE()}/`)
  await page.getByRole('button', { name: 'Pause' }).click()
  await same(page, page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: /Active users/ }) }).locator('.door'))
  await page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: /Page views/ }) }).locator('.door').click()
  const panel = page.getByRole('complementary')
  await expect(panel.getByRole('heading', { name: /Viewed a page, \d\d:\d\d to \d\d:\d\d/ })).toBeVisible()
  await expect(panel.locator('li').first()).toBeVisible()
})

test('what stands out leads to where it is looked into', async ({ page }) => {
  await page.goto(`${BASE()}/`)
  await page.getByRole('link', { name: 'Who stops, and why' }).click()
  await expect(page).toHaveURL(/\/funnels\?.*tab=lost/)
  await same(page, page.locator('p.prose .door').first())
  await same(page, page.locator('p.prose .door').nth(1))
})

test('matured numbers and groups of funnels are people too', async ({ page }) => {
  await page.goto(`${BASE()}/funnels?last=90d&by=country`)
  const matured = page.locator('.figures > div').filter({ hasText: 'Matured' }).locator('.door')
  await same(page, matured.first())
  await same(page, matured.nth(1))
  await expect(page.locator('.groups tbody tr').first().locator('td').nth(-2).locator('.door')).toContainText('%')
})

test('churn tells what somebody does next, and learns from what is known of people', async ({ page }) => {
  await page.goto(`${BASE()}/forecasts?tab=churn`)
  const next = page.locator('main tbody tr').first().locator('.next')
  await expect(next).toContainText(/\w+ (> )?[\d.]+%/)
  const asked = page.waitForRequest((r) => r.url().endsWith('/query/churn') && (r.postData() ?? '').includes('"attributes":[{"user":"plan","at":"at_event"}]'))
  await page.getByLabel('Learn from a property too').fill('user:plan')
  await page.keyboard.press('Enter')
  await asked
  await expect(page).toHaveURL(/know=user:plan/)
  await expect(page.getByText(/user:plan told people apart/)).toBeVisible()
  await page.getByRole('button', { name: 'Without user:plan' }).click()
  await expect(page).not.toHaveURL(/know=/)
  await page.locator('main tbody tr').first().getByRole('link').click()
  const card = page.locator('section.card').filter({ has: page.getByRole('heading', { name: 'Likely next' }) })
  await expect(card).toContainText(/\d+% to \d+% · \d+%/)
  await expect(card).toContainText(/The likeliest came for \d+%/)
  await page.getByRole('button', { name: 'What “Likely next” means' }).click()
  await expect(page.getByText('What somebody does next, if they do anything')).toBeVisible()
})

test('people, forecasts and risks are held against the time before', async ({ page }) => {
  await page.goto(`${BASE()}/people?last=30d&vs=prev`)
  await expect(page.getByText(/[▲▼±].*from [\d,]+ before/).first()).toBeVisible()
  await page.goto(`${BASE()}/engagement?last=30d&vs=prev`)
  await expect(page.locator('.figures').getByText(/from [\d,]+ before/).first()).toBeVisible()
  await page.goto(`${BASE()}/forecasts?tab=churn&last=30d&vs=prev`)
  await expect(page.getByText(/on average; [\d.]+% of [\d,]+ on /)).toBeVisible()
  await page.goto(`${BASE()}/forecasts`)
  await expect(page.locator('.figures')).toContainText(/[▲▼] [+−][\d.]+% from [\d,]+ in the 28 before/)
})

test('the numbers of widgets are people too', async ({ page }) => {
  const widget = (type: string, visualization: string, config: unknown) => ({ type, title: `Of ${type}`, dataSource: 'user_events', visualization, config })
  const widgets = [widget('funnel', 'funnel', { steps: ['search', 'complete_booking'], window: '7d', last: '30d' }), widget('metric', 'number', { event: 'search', last: '30d' }), widget('table', 'list', { groupBy: 'name', last: '30d' })]
  const made = await page.request.post(`${BASE()}/api/analytics-dashboard/custom`, { data: { name: `Doors ${Date.now()}`, widgets }, headers: OURS })
  expect(made.ok(), await made.text()).toBe(true)
  const { data } = (await made.json()) as { data: { _id: string } }
  await page.goto(`${BASE()}/dashboards/${data._id}`)
  const of = (type: string): Locator => page.locator('.widget').filter({ has: page.getByRole('heading', { name: `Of ${type}` }) })
  await same(page, of('funnel').locator('.steps li').first().locator('.door'))
  await same(page, of('funnel').locator('.steps li').nth(1).locator('.door'))
  await same(page, of('funnel').locator('.spread .door').first())
  for (const type of ['metric', 'table']) {
    await of(type).locator('.door').first().click()
    await expect(page.getByRole('complementary').locator('li').first()).toBeVisible()
    await page.keyboard.press('Escape')
  }
})
