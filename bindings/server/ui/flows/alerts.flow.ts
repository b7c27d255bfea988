import { BASE, OURS, enter, expect, test } from './base'

test.beforeEach(async ({ page }) => enter(page))

interface Rule {
  name: string
  source: Record<string, unknown>
  condition: Record<string, unknown>
  schedule: Record<string, unknown>
  channels: unknown[]
  maintenance: unknown[]
  for: number
  clearFor: number
  coolDown: number
  group: string
}

/** A rule as the API has it. */
async function kept(page: import('@playwright/test').Page, name: string): Promise<Rule> {
  const answer = await page.request.get(`${BASE()}/api/analytics-dashboard/alerts?search=${encodeURIComponent(name)}`)
  return ((await answer.json()) as { data: Rule[] }).data[0]!
}

test('what the API says of a rule stays as it is when the form saves it', async ({ page }) => {
  const made = Date.now()
  const answer = { word: 'funnel', question: { steps: ['search', 'payment'], window: '7d' }, lastDays: 7, value: '/rate/value', low: '/rate/low', high: '/rate/high' }
  const rules: [string, Record<string, unknown>, Record<string, unknown>][] = [
    [`Foretold ${made}`, answer, { type: 'band', against: 'week_before' }],
    [`Fresh ${made}`, { system: 'freshness', source: 'http' }, { type: 'threshold', above: 600 }],
  ]
  for (const [name, source, condition] of rules) {
    const sent = await page.request.post(`${BASE()}/api/analytics-dashboard/alerts`, { data: { name, source, condition }, headers: OURS })
    expect(sent.ok(), await sent.text()).toBe(true)
    const before = await kept(page, name)
    await page.goto(`${BASE()}/alerts?tz=UTC&q=${encodeURIComponent(name)}`)
    await page.getByRole('button', { name: `Change ${name}` }).click()
    const form = page.getByRole('dialog')
    if (condition.type === 'band') await expect(form.getByLabel('The interval')).toHaveValue('week_before')
    else await expect(form.getByLabel('Of the source')).toHaveValue('http')
    await form.getByRole('button', { name: 'Save' }).click()
    await expect(form).toHaveCount(0)
    const after = await kept(page, name)
    expect([after.source, after.condition, after.schedule, after.channels]).toEqual([before.source, before.condition, before.schedule, before.channels])
    await page.request.delete(`${BASE()}/api/analytics-dashboard/alerts/${(after as unknown as { _id: string })._id}`, { headers: OURS })
  }
})

test('a rule on a funnel’s conversion has all that a rule can say', async ({ page }) => {
  const name = `Conversion ${Date.now()}`
  await page.goto(`${BASE()}/alerts?tz=Europe/Paris`)
  await page.getByRole('button', { name: 'New alert' }).click()
  const form = page.getByRole('dialog')
  await form.getByLabel('Name').fill(name)
  await form.getByLabel('A number of an answer').check()
  await expect(form.getByLabel('Event of step 1')).toHaveValue('search')
  await form.getByLabel('Event of step 4').fill('payment')
  await form.getByLabel('Event of step 4').press('Enter')
  await form.getByRole('combobox', { name: 'Tells when it', exact: true }).selectOption('change')
  await form.getByLabel('Which way').selectOption('down')
  await form.getByLabel('By at least, in percent').fill('15')
  await form.getByLabel('At', { exact: true }).fill('09:30')
  await form.getByRole('button', { name: 'Sun', exact: true }).click()
  await form.getByRole('button', { name: 'Tell somebody else' }).click()
  await form.getByLabel('Whom, 2').fill('ada@example.com, alan@example.com')
  await form.locator('summary').click()
  await form.getByLabel('Found so often in a row').fill('2')
  await form.getByLabel('May come back within, minutes').fill('90')
  await form.getByLabel('Told together with others of the group').fill('sales')
  await form.getByRole('button', { name: 'Add a pause' }).click()
  await form.getByRole('button', { name: 'Watch it' }).click()
  await expect(form).toHaveCount(0)
  const row = page.getByRole('row').filter({ hasText: name })
  await expect(row).toContainText('Conversion of a funnel, last 7 days')
  await expect(row).toContainText('falls by 15.0% in a week')
  const week = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']
  const rule = await kept(page, name)
  expect(rule.source).toEqual({ word: 'funnel', question: { steps: ['search', 'view_trip', 'start_booking', 'payment'], window: '7d' }, lastDays: 7, value: '/rate/value', low: '/rate/low', high: '/rate/high' })
  expect(rule.condition).toEqual({ type: 'change', by: 0.15, direction: 'down', against: 'week_before' })
  expect(rule.schedule).toEqual({ at: '09:30', days: week.slice(0, 6), timezone: 'Europe/Paris' })
  expect(rule.channels).toEqual([{ type: 'in_app', users: [], roles: ['admin'] }, { type: 'email', to: ['ada@example.com', 'alan@example.com'] }])
  expect(rule.maintenance).toEqual([{ days: week, from: '02:00', to: '04:00', timezone: 'Europe/Paris' }])
  expect([rule.for, rule.clearFor, rule.coolDown, rule.group]).toEqual([2, 1, 5400, 'sales'])
  // What was made is what the form shows again, and saving it changes nothing.
  await row.getByRole('button', { name: `Change ${name}` }).click()
  await expect(form.getByLabel('Event of step 4')).toHaveValue('payment')
  await expect(form.getByLabel('Whom, 2')).toHaveValue('ada@example.com, alan@example.com')
  await form.getByRole('button', { name: 'Save', exact: true }).click()
  await expect(form).toHaveCount(0)
  expect({ ...(await kept(page, name)), ...stamps }).toEqual({ ...rule, ...stamps })
  await row.getByRole('button', { name: 'Test' }).click()
  await expect(page.getByText(`A test of “${name}” was sent.`)).toBeVisible()
  await page.request.delete(`${BASE()}/api/analytics-dashboard/alerts/${(rule as unknown as { _id: string })._id}`, { headers: { 'x-requested-with': 'travelsense' } })
})

/** What says when, not what. */
const stamps = { updatedAt: null, revision: null, evaluatedAt: null, reading: null, phase: null, incident: null }

test('rules on travelsense itself, on a band, on silence, and on any number of any answer', async ({ page }) => {
  await page.goto(`${BASE()}/alerts`)
  const form = page.getByRole('dialog')
  const at = Date.now()
  const make = async (what: string, fill: () => Promise<void>): Promise<Rule> => {
    await page.getByRole('button', { name: 'New alert' }).click()
    await form.getByLabel('Name').fill(`${what} ${at}`)
    await fill()
    await form.getByRole('button', { name: 'Watch it' }).click()
    await expect(form).toHaveCount(0)
    return kept(page, `${what} ${at}`)
  }
  const stale = await make('Stale', async () => {
    await form.getByLabel('travelsense itself').check()
    await form.getByLabel('Above', { exact: true }).fill('600')
    await form.getByLabel('Well again from').fill('60')
  })
  expect([stale.source, stale.condition]).toEqual([{ system: 'freshness' }, { type: 'threshold', above: 600, recover: 60 }])
  const both = await make('Both', async () => {
    await form.getByRole('combobox', { name: 'Number', exact: true }).selectOption('active_users')
    await form.getByLabel('Above', { exact: true }).fill('900')
    await form.getByLabel('Or below').fill('10')
  })
  expect(both.condition).toEqual({ type: 'threshold', above: 900, below: 10 })
  const odd = await make('Odd', async () => {
    await form.getByRole('combobox', { name: 'Tells when it', exact: true }).selectOption('anomaly')
    await form.getByLabel('Which way').selectOption('up')
  })
  expect(odd.condition).toEqual({ type: 'anomaly', direction: 'up' })
  const silent = await make('Silent', async () => {
    await form.getByRole('combobox', { name: 'Tells when it', exact: true }).selectOption('no_data')
  })
  expect(silent.condition).toEqual({ type: 'no_data' })
  const own = await make('Own', async () => {
    await form.getByLabel('A number of an answer').check()
    await form.getByRole('combobox', { name: 'Number', exact: true }).selectOption('own')
    await form.getByLabel('Word').selectOption('predictive')
    await form.getByLabel('Where the number is').fill('/historicalData/0/value')
    await form.getByLabel('Where its lower bound is, if it has one').fill('/predictions/0/lowerBound')
    await form.getByLabel('Where its upper bound is').fill('/predictions/0/upperBound')
    await form.getByLabel('Question, as JSON').fill('{"predictionType": "user_growth"}')
    await form.getByLabel(/^Over so many complete days/).fill('60')
    await form.getByRole('combobox', { name: 'Tells when it', exact: true }).selectOption('band')
  })
  expect([own.source, own.condition]).toEqual([{ word: 'predictive', question: { predictionType: 'user_growth' }, lastDays: 60, value: '/historicalData/0/value', low: '/predictions/0/lowerBound', high: '/predictions/0/upperBound' }, { type: 'band' }])
  // What cannot be is said before it is sent, or by the server, and the form stays.
  await page.getByRole('button', { name: 'New alert' }).click()
  await form.getByLabel('Name').fill('Nothing')
  await form.getByLabel('A number of an answer').check()
  await form.getByRole('combobox', { name: 'Number', exact: true }).selectOption('own')
  await form.getByLabel('Question, as JSON').fill('{')
  await form.getByRole('button', { name: 'Watch it' }).click()
  await expect(form.getByRole('alert')).toContainText('must be a JSON object')
  await form.getByLabel('Question, as JSON').fill('{}')
  await form.getByLabel('Where the number is').fill('rate')
  await form.getByRole('button', { name: 'Watch it' }).click()
  await expect(form.getByRole('alert')).toContainText('must be a JSON pointer')
  await page.keyboard.press('Escape')
  for (const rule of [stale, both, odd, silent, own]) await page.request.delete(`${BASE()}/api/analytics-dashboard/alerts/${(rule as unknown as { _id: string })._id}`, { headers: { 'x-requested-with': 'travelsense' } })
})

test('a number on a page is watched from there', async ({ page }) => {
  await page.goto(`${BASE()}/funnels?steps=search,complete_booking&win=3d&last=14d`)
  await page.getByRole('link', { name: 'Alert', exact: true }).click()
  const form = page.getByRole('dialog')
  await expect(form.getByLabel('Name')).toHaveValue('Conversion to complete_booking')
  await expect(form.getByLabel('Event of step 2')).toHaveValue('complete_booking')
  await expect(form.getByLabel('Over so many complete days before')).toHaveValue('14')
  await expect(page).not.toHaveURL(/watch=/)
  await page.keyboard.press('Escape')
  await expect(form).toHaveCount(0)
})
