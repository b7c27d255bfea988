import { BASE, LINK, enter, expect, test } from './base'

test('a pasted token logs in, and a wrong one says why', async ({ page }) => {
  await page.goto(`${BASE()}/funnels?last=7d`)
  await page.getByLabel('Token').fill('wrong')
  await page.getByRole('button', { name: 'Log in' }).click()
  await expect(page.getByRole('alert')).toContainText('token_')
  await expect(page.getByRole('alert')).toContainText('request')
  await page.getByLabel('Token').fill(process.env.FLOW_ADMIN!)
  await page.getByRole('button', { name: 'Log in' }).click()
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Of the people who')
  expect(page.url()).toContain('/funnels?last=7d')
  const cookies = await page.context().cookies(`${BASE()}/api/x`)
  expect(cookies.map((c) => [c.name, c.httpOnly, c.sameSite])).toEqual([['travelsense', true, 'Strict']])
  await page.getByRole('button', { name: 'Appearance and account' }).click()
  await page.getByRole('button', { name: 'Log out' }).click()
  await expect(page.getByLabel('Token')).toBeVisible()
})

test('the link of the demo logs in once', async ({ page, browser }) => {
  await page.goto(LINK())
  await expect(page.getByRole('heading', { name: 'What is happening now' })).toBeVisible()
  expect(page.url()).not.toContain('enter')
  const other = await browser.newPage()
  await other.goto(LINK())
  await expect(other.getByRole('alert')).toContainText('used before')
  await other.close()
})

test('a cookie alone changes nothing: other sites cannot use it', async ({ page }) => {
  await enter(page)
  const body = { name: 'x', widgets: [{ type: 'table', title: 't', dataSource: 'trips', visualization: 'table', config: {} }] }
  const refused = await page.request.post(`${BASE()}/api/analytics-dashboard/custom`, { data: body })
  expect(refused.status()).toBe(401)
  const taken = await page.request.post(`${BASE()}/api/analytics-dashboard/custom`, { data: body, headers: { 'x-requested-with': 'travelsense' } })
  expect(taken.status()).toBe(201)
  const login = await page.request.post(`${BASE()}/api/analytics-dashboard/session`, { data: { token: process.env.FLOW_ADMIN } })
  expect(login.status()).toBe(400)
})

test('a viewer sees neither the people, nor the record, nor a way to make dashboards', async ({ page }) => {
  await enter(page, 'viewer')
  await page.goto(`${BASE()}/funnels`)
  await expect(page.getByRole('row', { name: /view_trip/ })).toBeVisible()
  const pages = page.getByRole('navigation', { name: 'Pages' }).first()
  await expect(pages.getByRole('link', { name: 'Funnels' })).toBeVisible()
  await expect(pages.getByRole('link', { name: 'People' })).toHaveCount(0)
  await expect(pages.getByRole('link', { name: 'Audit' })).toHaveCount(0)
  await expect(page.locator('main .door')).toHaveCount(0)
  await page.goto(`${BASE()}/audit`)
  await expect(page.getByRole('alert')).toContainText('role')
  await page.goto(`${BASE()}/dashboards`)
  await expect(page.getByRole('heading', { name: 'Dashboards', exact: true })).toBeVisible()
  await expect(page.getByRole('button', { name: 'New dashboard' })).toHaveCount(0)
})

test('a login that has ended leads back to where one was', async ({ page }) => {
  await enter(page)
  await page.goto(`${BASE()}/cohorts?per=monthly`)
  await expect(page.getByRole('table', { name: 'Cohort' })).toBeVisible()
  await page.context().clearCookies()
  await page.getByRole('button', { name: 'Day', exact: true }).click()
  await page.getByLabel('Token').fill(process.env.FLOW_ADMIN!)
  await page.getByRole('button', { name: 'Log in' }).click()
  await expect(page.getByRole('table', { name: 'Cohort' })).toBeVisible()
  expect(page.url()).toContain('per=daily')
})

test('an API that fails leaves no blank page', async ({ page }) => {
  await enter(page)
  let broken = true
  await page.route('**/query/funnel', (route) => (broken ? route.abort() : route.continue()))
  await page.goto(`${BASE()}/funnels`)
  await expect(page.getByRole('alert').first()).toContainText('does not answer')
  await page.unroute('**/query/funnel')
  broken = false
  await page.route('**/query/funnel', (route) => route.continue())
  await page.getByRole('button', { name: 'Try again' }).first().click()
  await expect(page.getByRole('row', { name: /view_trip/ })).toBeVisible()
})
