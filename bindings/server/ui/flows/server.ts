import { spawn, execFileSync, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
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

const LISTENS = /listening.*?(127\.0\.0\.1:\d+)|(127\.0\.0\.1:\d+).*?listening/s

/** Where real data of others may lie beside the project: cases of sepsis in a hospital, if they are there. */
const CASES = new URL('../../../../../shared/data/sepsis.parquet', import.meta.url)

/** Events that have nothing to do with travel and are long past: the cases, or else some of a like kind. */
function load(data: string): void {
  const mapping = ['--user', 'case', '--name', 'activity', '--time', 'ts']
  if (existsSync(CASES)) {
    execFileSync(program, ['import', fileURLToPath(CASES), '--data', data, ...mapping], { stdio: 'pipe' })
    return
  }
  console.log('no ../shared/data: the pages are tried on made-up cases instead of real ones')
  const lines = ['case,activity,ts']
  const day = (n: number): string => new Date(Date.UTC(2012, 0, 1) + n * 86_400_000).toISOString()
  for (let i = 0; i < 400; i += 1) {
    lines.push(`A${i},Create Fine,${day(i)}`)
    if (i % 3) lines.push(`A${i},Send Fine,${day(i + 60)}`)
    if (i % 5 === 0) lines.push(`A${i},Payment,${day(i + 90)}`)
  }
  mkdirSync(data, { recursive: true })
  const file = join(data, '..', 'cases.csv')
  writeFileSync(file, `${lines.join('\n')}\n`)
  execFileSync(program, ['import', file, '--data', data, ...mapping], { stdio: 'pipe' })
}

/** One server with keys of the tests' own, for every role; one demo, for its link; and one with events of others. */
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
  const server = await start(['serve', '--data', data, '--bind', '127.0.0.1:0', '--log', 'info'], env, LISTENS)
  const demo = await start(['demo', '--data', join(folder, 'demo'), '--users', '200', '--days', '10', '--bind', '127.0.0.1:0'], {}, /(http:\/\/127\.0\.0\.1:\d+\/#enter=\w+)/)
  const foreign = join(folder, 'foreign')
  load(foreign)
  const other = await start(['serve', '--data', foreign, '--bind', '127.0.0.1:0', '--log', 'info'], env, LISTENS)
  const token = (role: string): string => execFileSync(program, ['token', '--sub', `${role}-of-flows`, '--role', role], { env: { ...process.env, ...env } }).toString().trim()
  Object.assign(process.env, {
    FLOW_BASE: `http://${server.found[1] ?? server.found[2]}`,
    FLOW_LINK: demo.found[1],
    FLOW_FOREIGN: `http://${other.found[1] ?? other.found[2]}`,
    FLOW_ADMIN: token('admin'),
    FLOW_ANALYST: token('analyst'),
    FLOW_VIEWER: token('viewer'),
    FLOW_COLLECTOR: token('collector'),
  })
  return () => {
    server.child.kill()
    demo.child.kill()
    other.child.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}
