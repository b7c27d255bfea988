import { BASE, OURS, enter, expect, number, test } from './base'

test.beforeEach(async ({ page }) => enter(page))

const API = (path: string): string => `${BASE()}/api/analytics-dashboard/${path}`

async function make(page: import('@playwright/test').Page, name: string, widgets?: unknown[]): Promise<string> {
  const answer = widgets
    ? await page.request.post(API('custom'), { data: { name, widgets }, headers: OURS })
    : await page.request.post(API('templates/executive-overview'), { data: { name }, headers: OURS })
  return ((await answer.json()) as { data: { _id: string } }).data._id
}

test('a dashboard is made of a template and changed by keyboard alone', async ({ page }) => {
  await page.goto(`${BASE()}/dashboards`)
  await page.getByRole('button', { name: 'Use Executive overview' }).click()
  await page.getByLabel(/^Name/).fill('By keyboard')
  await page.getByRole('button', { name: 'Make it' }).click()
  await expect(page.getByRole('heading', { name: 'By keyboard' })).toBeVisible()
  await expect(page.locator('.widget')).toHaveCount(7)
  await expect(page.locator('.widget .big').first()).toBeVisible()
  await page.getByRole('button', { name: 'Edit' }).press('Enter')
  const first = page.getByRole('region', { name: 'Active users, last hour' })
  await first.focus()
  await page.keyboard.press('Shift+ArrowDown')
  await page.keyboard.press('Shift+ArrowRight')
  await expect(page.getByText('Active users, last hour: column 1, row 1, 4 wide, 3 high')).toHaveCount(1)
  await page.getByRole('region', { name: 'Average rating' }).focus()
  await page.keyboard.press('Delete')
  await expect(page.locator('.widget')).toHaveCount(6)
  await page.getByRole('button', { name: 'Widget', exact: true }).press('Enter')
  await page.getByLabel('Title').fill('Searches a day')
  await page.getByRole('button', { name: 'Add it' }).press('Enter')
  await expect(page.locator('.widget')).toHaveCount(7)
  await page.getByRole('button', { name: 'Save' }).press('Enter')
  await expect(page.getByRole('button', { name: 'Edit' })).toBeVisible()
  await page.reload()
  await expect(page.locator('.widget')).toHaveCount(7)
  expect(await first.evaluate((e) => (e as HTMLElement).style.gridArea)).toMatch(/1 \/ 1 \/ span 3 \/ span 4/)
})

test('widgets are moved by pointer', async ({ page }) => {
  const id = await make(page, 'By pointer')
  await page.goto(`${BASE()}/dashboards/${id}?edit=1`)
  const head = page.getByRole('region', { name: 'Revenue', exact: true }).locator('header')
  const box = (await head.boundingBox())!
  await page.mouse.move(box.x + 40, box.y + 16)
  await page.mouse.down()
  await page.mouse.move(box.x + 40, box.y + 16 + 260, { steps: 6 })
  await page.mouse.up()
  await expect(page.getByText(/^Revenue: column 4, row [2-9]/)).toHaveCount(1)
})

test('a widget that is broken leaves the others alone; names are never markup', async ({ page }) => {
  const name = '<img src=x onerror=alert(1)> مرحبا 🎉'
  const number = { type: 'metric', title: name, dataSource: 'bookings', visualization: 'number', config: { last: '30d' } }
  const broken = { type: 'table', title: 'Broken', dataSource: 'trips', visualization: 'table', config: { groupBy: 'nothing' } }
  const id = await make(page, name, [number, broken])
  await page.goto(`${BASE()}/dashboards/${id}`)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(name)
  await expect(page.locator('.widget').first().locator('.big')).toBeVisible()
  await expect(page.locator('.widget').nth(1).getByRole('alert')).toContainText('cannot be shown')
  await page.goto(`${BASE()}/dashboards?q=${encodeURIComponent('مرحبا')}`)
  await expect(page.getByRole('link', { name })).toHaveCount(1)
})

test('a dashboard is shared, copied, exported and removed', async ({ page }) => {
  const name = `Whole life ${Date.now()}`
  const id = await make(page, name)
  await page.goto(`${BASE()}/dashboards/${id}`)
  const more = async (): Promise<void> => page.getByRole('button', { name: 'More', exact: true }).first().click()
  await more()
  await page.getByRole('button', { name: 'Share' }).click()
  await page.getByRole('button', { name: 'Add' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('dialog')).toHaveCount(0)
  const shared = (await (await page.request.get(API(`custom/${id}/sharing`))).json()) as { data: { roles: unknown[] } }
  expect(shared.data.roles).toEqual([{ role: 'analyst', access: 'view' }])
  await more()
  const file = page.waitForEvent('download')
  await page.getByRole('button', { name: 'CSV' }).click()
  expect((await file).suggestedFilename()).toMatch(/\.csv$/)
  await more()
  await page.getByRole('button', { name: 'Duplicate' }).click()
  await expect(page.getByRole('heading', { name: `Copy of ${name}` })).toBeVisible()
  await more()
  await page.getByRole('button', { name: /^Remove/ }).click()
  await page.getByRole('button', { name: 'Remove it' }).click()
  await expect(page).toHaveURL(/\/dashboards($|\?)/)
})

test('an export is made and fetched, and the record of it is whole', async ({ page }) => {
  await page.goto(`${BASE()}/exports`)
  await page.getByRole('button', { name: /^Export / }).click()
  const file = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download' }).first().click()
  expect((await file).suggestedFilename()).toMatch(/\.csv$/)
  await page.goto(`${BASE()}/audit`)
  await page.getByRole('button', { name: 'Check the chain' }).click()
  await expect(page.getByText(/The chain of [\d,]+ entries is whole/)).toBeVisible()
})

test('an alert is made, changed, tried, silenced and removed', async ({ page }) => {
  const name = `Errors ${Date.now()}`
  await page.goto(`${BASE()}/alerts`)
  await page.getByRole('button', { name: 'New alert' }).click()
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Above, in percent', { exact: true }).fill('2.5')
  await page.getByRole('button', { name: 'Watch it' }).click()
  const row = page.getByRole('row').filter({ hasText: name })
  await expect(row).toContainText('above 2.5%')
  await row.getByRole('button', { name: `Change ${name}` }).click()
  await expect(page.getByLabel('Above, in percent', { exact: true })).toHaveValue('2.5')
  await page.getByLabel('Above, in percent', { exact: true }).fill('')
  await page.getByLabel('Or below, in percent').fill('3')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await expect(row).toContainText('below 3.0%')
  await row.getByRole('button', { name: 'Turn off' }).click()
  await expect(row.getByRole('button', { name: 'Turn on' })).toBeVisible()
  await row.getByRole('button', { name: 'Turn on' }).click()
  await row.getByRole('button', { name: 'Test' }).click()
  await expect(page.getByRole('button', { name: 'Mark as read' })).not.toHaveCount(0)
  await row.getByRole('button', { name: 'Silence 1 h' }).click()
  await expect(row).toContainText('silent until')
  await row.getByRole('button', { name, exact: true }).click()
  await expect(page.getByRole('heading', { name: /History of/ })).toBeVisible()
  await row.getByRole('button', { name: `Remove ${name}` }).click()
  await page.getByRole('button', { name: 'Remove it' }).click()
  await expect(row).toHaveCount(0)
})

test('a widget is looked into, and a dashboard narrowed', async ({ page }) => {
  const table = { type: 'table', title: 'Events', dataSource: 'user_events', visualization: 'table', config: { groupBy: 'name', last: '30d' } }
  const funnel = { type: 'funnel', title: 'To book', dataSource: 'user_events', visualization: 'funnel', config: { steps: ['search', 'complete_booking'], last: '30d', window: '7d' } }
  const now = { type: 'metric', title: 'Now', dataSource: 'user_events', visualization: 'number', config: { metric: 'active_users', timeRange: 'last_hour' } }
  const id = await make(page, `Deep ${Date.now()}`, [table, funnel, now])
  await page.goto(`${BASE()}/dashboards/${id}`)
  const row = page.locator('.widget').first().getByRole('row', { name: /^search/ })
  const all = number(await row.locator('.n').textContent())
  await row.locator('.door').click()
  const panel = page.getByRole('complementary')
  await expect(panel.locator('.total')).toBeVisible()
  expect(number(await panel.locator('.total').textContent())).toBeGreaterThan(0)
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'More of “To book”' }).click()
  await page.getByRole('button', { name: 'As a table' }).click()
  await expect(page.getByRole('dialog').getByRole('row', { name: /complete_booking/ })).toBeVisible()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: /^Filter/ }).click()
  await page.getByLabel('Property', { exact: true }).fill('country')
  await page.getByLabel('Is', { exact: true }).fill('FR')
  await page.getByRole('button', { name: 'Only these' }).click()
  await expect(page).toHaveURL(/only=country:FR/)
  await expect(page.locator('.chip')).toContainText('country FR')
  await expect(page.locator('.widget').nth(2)).toContainText('not filtered')
  await expect(async () => expect(number(await row.locator('.n').textContent())).toBeLessThan(all)).toPass()
  // What is narrowed is a door all the same: the people of the number are those of the filter.
  await row.locator('.door').click()
  await expect(page).toHaveURL(/people=/)
  const some = number(await panel.locator('.total').textContent())
  expect(some).toBeGreaterThan(0)
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Remove the filter country FR' }).click()
  await expect(row.locator('.n')).toHaveText(all.toLocaleString('en-GB'))
  await page.getByRole('button', { name: 'More of “To book”' }).click()
  await page.getByRole('link', { name: 'Open in Funnels' }).click()
  await expect(page).toHaveURL(/\/funnels\?.*steps=search,complete_booking/)
  await expect(page.getByRole('rowheader', { name: /complete_booking/ })).toBeVisible()
})

test('what was changed is not lost: neither where the login ends nor where one leaves by mistake', async ({ page }) => {
  const id = await make(page, 'Kept')
  await page.goto(`${BASE()}/dashboards/${id}?edit=1`)
  await page.getByLabel('Name').fill('Kept all the same')
  await page.getByRole('button', { name: 'Remove Bookings' }).click()
  await page.context().clearCookies()
  await page.getByRole('button', { name: 'Save' }).click()
  const login = page.getByRole('dialog', { name: 'Your login has ended' })
  await expect(login).toBeVisible()
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  await login.getByLabel('Token').fill(process.env.FLOW_ADMIN!)
  await login.getByRole('button', { name: 'Log in' }).click()
  await expect(login).toHaveCount(0)
  await expect(page.locator('.widget')).toHaveCount(6)
  let asked = 0
  page.on('dialog', (dialog) => {
    asked += 1
    void dialog.dismiss()
  })
  await page.getByRole('link', { name: 'Live' }).first().click()
  await expect(page.getByLabel('Name')).toHaveValue('Kept all the same')
  expect(asked).toBe(1)
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('heading', { name: 'Kept all the same' })).toBeVisible()
  await expect(page.locator('.widget')).toHaveCount(6)
  await page.getByRole('link', { name: 'Live' }).first().click()
  await expect(page.getByRole('heading', { name: 'What is happening now' })).toBeVisible()
})
