import { enter, expect, test } from './base'

const FOREIGN = (): string => {
  const value = process.env.FLOW_FOREIGN
  test.skip(!value, 'no server with events of others')
  return value!
}

test.beforeEach(async ({ page }) => enter(page, 'admin', FOREIGN()))

const PAGES = ['/', '/funnels', '/funnels?tab=lost', '/funnels?tab=trend', '/cohorts', '/journeys', '/engagement', '/adoption', '/forecasts', '/forecasts?tab=churn', '/dashboards', '/exports', '/people', '/catalogue', '/server']

test('every page makes something of events that are not of travel, and long past', async ({ page }) => {
  test.setTimeout(180_000)
  for (const path of PAGES) {
    await page.goto(FOREIGN() + path)
    await expect(page.locator('main h1')).toBeVisible()
    await expect(page.locator('.loading, [aria-busy=true]')).toHaveCount(0)
    await expect(page.getByRole('alert'), path).toHaveCount(0)
  }
})

test('a range with nothing in it leads to where the events are', async ({ page }) => {
  await page.goto(`${FOREIGN()}/engagement`)
  await expect(page.getByText(/The latest event is of .*20\d\d, before this range/)).toBeVisible()
  await page.getByRole('button', { name: 'The 365 days up to it' }).click()
  await expect(page).toHaveURL(/from=20\d\d-/)
  await expect(page.getByText(/The latest event is of/)).toHaveCount(0)
  await expect(page.locator('.figures .door').first()).toBeVisible()
  await page.getByRole('navigation', { name: 'Pages' }).first().getByRole('link', { name: 'Funnels' }).click()
  // Of the events that there are, since none is of the catalogue's funnel.
  await expect(page.getByLabel('Event of step 1')).not.toHaveValue('search')
  await expect(page.locator('main tbody tr').first().locator('.door').first()).toBeVisible()
  for (const name of ['Cohorts', 'Journeys', 'Adoption', 'Forecasts']) {
    await page.getByRole('navigation', { name: 'Pages' }).first().getByRole('link', { name }).click()
    await expect(page.locator('main h1')).toBeVisible()
    await expect(page.locator('.loading, [aria-busy=true]')).toHaveCount(0)
    await expect(page.getByRole('alert'), name).toHaveCount(0)
  }
})
