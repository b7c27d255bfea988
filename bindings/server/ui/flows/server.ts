import { spawn, execFileSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'

/** The program under test: `TRAVELSENSE_PROGRAM`, as `make test` sets it. */
const program = process.env.TRAVELSENSE_PROGRAM ?? ''

/** Starts the program and waits until it says where it listens. */
function start(args: string[], env: NodeJS.ProcessEnv, said: RegExp): Promise<{ child: ChildProcess; found: RegExpExecArray }> {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  return new Promise((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      text += chunk.toString()
      const found = said.exec(text)
      if (found) resolve({ child, found })
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('exit', (code) => reject(new Error(`the program ended (${code}): ${text}`)))
  })
}

/** One server with keys of the tests' own, for every role; and one demo, for its link. */
export default async function (): Promise<() => void> {
  // Somebody who works on the pages lets them run against Vite, on a server of their own.
  if (process.env.FLOW_BASE) return () => {}
  if (!program) throw new Error('TRAVELSENSE_PROGRAM must name the program to test')
  const folder = mkdtempSync(join(tmpdir(), 'travelsense-flows-'))
  const data = join(folder, 'data')
  const users = process.env.TRAVELSENSE_FLOW_USERS ?? '1500'
  execFileSync(program, ['demo', '--data', data, '--users', users, '--days', '90', '--no-serve'], { stdio: 'pipe' })
  const secret = randomBytes(48).toString('hex')
  const env = { TRAVELSENSE_JWT_SECRET: secret, NO_COLOR: '1' }
  const server = await start(['serve', '--data', data, '--bind', '127.0.0.1:0', '--log', 'info'], env, /listening.*?(127\.0\.0\.1:\d+)|(127\.0\.0\.1:\d+).*?listening/s)
  const demo = await start(['demo', '--data', join(folder, 'demo'), '--users', '200', '--days', '10', '--bind', '127.0.0.1:0'], {}, /(http:\/\/127\.0\.0\.1:\d+\/#enter=\w+)/)
  const token = (role: string): string => execFileSync(program, ['token', '--sub', `${role}-of-flows`, '--role', role], { env: { ...process.env, ...env } }).toString().trim()
  Object.assign(process.env, {
    FLOW_BASE: `http://${server.found[1] ?? server.found[2]}`,
    FLOW_LINK: demo.found[1],
    FLOW_ADMIN: token('admin'),
    FLOW_ANALYST: token('analyst'),
    FLOW_VIEWER: token('viewer'),
    FLOW_COLLECTOR: token('collector'),
  })
  return () => {
    server.child.kill()
    demo.child.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}
