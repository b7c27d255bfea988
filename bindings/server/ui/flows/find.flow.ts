import { BASE, OURS, enter, expect, send, test } from './base'

test('search goes to pages, events, dashboards, people and definitions', async ({ page }) => {
  await enter(page)
  await page.request.post(`${BASE()}/api/analytics-dashboard/templates/executive-overview`, { data: { name: 'Zebra crossing' }, headers: OURS })
  await page.goto(`${BASE()}/`)
  await expect(page.locator('.cards li')).toHaveCount(6)
  const box = page.getByRole('combobox', { name: 'Search' })
  const search = async (text: string): Promise<void> => {
    await page.keyboard.press('/')
    await box.fill(text)
  }
  await search('coho')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/cohorts/)
  await search('view_trip')
  await page.getByRole('option', { name: /view_trip What comes after/ }).click()
  await expect(page).toHaveURL(/\/journeys\?.*start=view_trip/)
  await search('zebra')
  await expect(page.getByRole('option', { name: /Zebra crossing/ }).first()).toBeVisible()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Zebra crossing' })).toBeVisible()
  await search('matured')
  await page.keyboard.press('Enter')
  await expect(page.getByText('of entries whose whole window is over')).toBeVisible()
  await page.keyboard.press('Escape')
  await search('nobody-has-this-id')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Nobody has this id' })).toBeVisible()
})

test('somebody’s profile has what they did, whatever their name is', async ({ page }) => {
  const id = '<img src=x onerror=alert(1)>/مرحبا 🎉'
  await send(page, [
    { userId: id, name: 'search', ts: new Date(Date.now() - 7_200_000).toISOString(), properties: { to: '<b>Rome</b>' } },
    { userId: id, name: 'view_trip', ts: new Date(Date.now() - 7_100_000).toISOString() },
    { userId: id, name: 'search', ts: new Date(Date.now() - 60_000).toISOString() },
  ])
  await enter(page)
  await page.goto(`${BASE()}/people/${encodeURIComponent(id)}`)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(id)
  await expect(page.getByText('<b>Rome</b>')).toBeVisible()
  const visits = page.locator('ol.visit')
  await expect(visits).toHaveCount(2)
  await expect(visits.nth(1).locator('strong')).toHaveText(['view_trip', 'search'])
  await page.getByRole('button', { name: 'search', exact: true }).click()
  await expect(page).toHaveURL(/event=search/)
  await expect(page.locator('ol.visit strong')).toHaveText(['search', 'search'])
})

test('a device that turned out to be somebody is found both ways', async ({ page }) => {
  const at = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString()
  await send(page, [
    { anonymousId: 'phone-of-ada', name: 'search', ts: at(50) },
    { userId: 'ada', anonymousId: 'phone-of-ada', name: 'view_trip', ts: at(40) },
  ])
  await enter(page)
  await page.goto(`${BASE()}/people`)
  await page.getByLabel('Id of somebody').fill('ada')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('ada')
  // What was done before the login is theirs too.
  await expect(page.locator('ol.visit strong')).toHaveText(['view_trip', 'search'])
  await page.getByRole('link', { name: 'phone-of-ada (device)' }).click()
  await expect(page).toHaveURL(/device=1/)
  await expect(page.getByRole('link', { name: 'ada', exact: true })).toBeVisible()
})

test('people of a number lead to their profiles', async ({ page }) => {
  await enter(page)
  await page.goto(`${BASE()}/funnels`)
  await page.locator('main tbody tr').nth(3).locator('.door').first().click()
  const first = page.getByRole('complementary').locator('li a').first()
  const id = (await first.textContent())!
  await first.click()
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(id)
  await expect(page.locator('ol.visit').first()).toBeVisible()
  await expect(page.getByRole('button', { name: 'search', exact: true })).toBeVisible()
})
