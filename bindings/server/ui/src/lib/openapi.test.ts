import { readFileSync } from 'node:fs'
import openapi, { astToString, COMMENT_HEADER } from 'openapi-typescript'
import { expect, it } from 'vitest'

it('the client is what the API describes; `npm run client` makes it anew', { timeout: 60_000 }, async () => {
  const made = await openapi(new URL('../../../openapi.json', import.meta.url), { emptyObjectsUnknown: true, defaultNonNullable: false })
  expect(readFileSync(new URL('./openapi.ts', import.meta.url), 'utf8') === `${COMMENT_HEADER}${astToString(made)}`).toBe(true)
})
