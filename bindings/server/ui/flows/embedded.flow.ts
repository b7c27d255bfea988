import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from './base'

const NODE = fileURLToPath(new URL('../../../../node', import.meta.url))
const built = existsSync(`${NODE}/travelsense.node`) && existsSync(`${NODE}/dist`) && existsSync(`${NODE}/node_modules/express`)

let app: ChildProcess | undefined
let base = ''

test.beforeAll(async () => {
  test.skip(!built, 'the Node.js package is not built here: `make native` builds it')
  app = spawn('node', ['examples/express.mjs', ':memory:'], { cwd: NODE, env: { ...process.env, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] })
  base = await new Promise((resolve, reject) => {
    app!.stdout!.on('data', (chunk: Buffer) => resolve(chunk.toString().trim()))
    app!.once('exit', (code) => reject(new Error(`the application ended (${code})`)))
  })
})
test.afterAll(() => void app?.kill())

test('within an application of somebody’s own, below a path and with its login', async ({ page }) => {
  await page.goto(base)
  await expect(page).toHaveURL(/\/login$/)
  await page.getByPlaceholder('Name').fill('ana')
  await page.getByPlaceholder('Password').fill('a')
  const stream = page.waitForResponse((r) => r.url().includes('/analytics/api/analytics-dashboard/realtime/stream'))
  await page.getByRole('button', { name: 'Log in' }).click()
  await expect(page.locator('.cards .big')).toHaveCount(6)
  expect((await stream).headers()['content-type']).toBe('text/event-stream')
  await expect(page.getByText('No events yet')).toBeVisible()
  await page.getByRole('link', { name: 'Exports' }).first().click()
  await expect(page).toHaveURL(/\/analytics\/exports$/)
  await page.getByRole('button', { name: /^Export/ }).click()
  const link = page.getByRole('link', { name: 'Download' })
  const [file] = await Promise.all([page.waitForEvent('download'), link.click()])
  expect(await file.failure()).toBeNull()
  // There is no way out of a login that is not ours, and nothing of it can be used from elsewhere.
  await page.getByRole('button', { name: 'Appearance and account' }).click()
  await expect(page.getByRole('button', { name: 'Log out' })).toHaveCount(0)
  const body = { name: 'x', widgets: [{ type: 'table', title: 't', dataSource: 'trips', visualization: 'table', config: {} }] }
  const cross = await page.request.post(`${base}/api/analytics-dashboard/custom`, { data: body, headers: { 'sec-fetch-site': 'cross-site', origin: 'http://elsewhere.test' } })
  expect(cross.status()).toBe(403)
  await page.context().clearCookies()
  await page.reload()
  await expect(page).toHaveURL(/\/login$/)
})
