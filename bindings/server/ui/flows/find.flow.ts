import { BASE, OURS, enter, expect, test } from './base'

test('search goes to pages, events, dashboards and definitions', async ({ page }) => {
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
})
