import { defineConfig } from '@playwright/test'

/** The flows run in Debian's chromium against the real program with demo data; see `flows/server.ts`. */
export default defineConfig({
  testDir: 'flows',
  globalSetup: './flows/server.ts',
  outputDir: 'node_modules/.flows',
  reporter: [['list']],
  timeout: 90_000,
  expect: { timeout: 20_000 },
  fullyParallel: true,
  workers: 2,
  use: {
    browserName: 'chromium',
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    timezoneId: 'Europe/Paris',
    trace: 'off',
    launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] },
  },
  projects: [
    { name: 'flows', testMatch: /.*\.flow\.ts/ },
    { name: 'speed', testMatch: /speed\.ts/, fullyParallel: false },
    { name: 'screenshots', testMatch: /screenshots\.ts/, fullyParallel: false },
  ],
})
