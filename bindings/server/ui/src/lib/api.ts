/** The API as the pages call it. What there is to call, and what it takes and gives, is generated from its description: `npm run client`. */
import type { Answers } from './answers'
import { based } from './base'
import type { components, paths } from './openapi'

type Root = '/api/analytics-dashboard'

/** Where the API is. */
export const ROOT = based('/api/analytics-dashboard')

export interface FieldError {
  field: string
  code: string
  message: string
}

/** What went wrong, with all that somebody who asks for help needs to say. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly requestId: string | null
  readonly errors: FieldError[]
  constructor(status: number, code: string, message: string, requestId: string | null = null, errors: FieldError[] = []) {
    super(message)
    this.status = status
    this.code = code
    this.requestId = requestId
    this.errors = errors
  }
}

type Schemas = components['schemas']

export type Meta = Schemas['Meta'] & { pagination?: Schemas['Pagination'] }

export interface Reply<T> {
  data: T
  meta: Meta
  /** The revision, for changes that must not overwrite another's. */
  tag: string | null
}

/** A request, which knows what it is answered with. */
export interface Asking<T> {
  method: Method
  path: string
  body?: unknown
  tag?: string | null
  signal?: AbortSignal
  /** Only a type: nothing is ever here. */
  readonly data?: T
}

/** Told when a login has ended, so that whoever it was can log in again where they are. */
let ended: () => void = () => {}
export const onEnd = (hear: () => void): void => {
  ended = hear
}

export async function call<T>(asking: Asking<T>): Promise<Reply<T>> {
  const headers: Record<string, string> = { accept: 'application/json', 'x-requested-with': 'travelsense' }
  if (asking.body !== undefined) headers['content-type'] = 'application/json'
  if (asking.tag) headers['if-match'] = asking.tag
  const init: RequestInit = { method: asking.method.toUpperCase(), headers, credentials: 'same-origin' }
  if (asking.body !== undefined) init.body = JSON.stringify(asking.body)
  if (asking.signal) init.signal = asking.signal
  const path = asking.path.startsWith('/') ? based(asking.path) : `${ROOT}/${asking.path}`
  let response: Response
  try {
    response = await fetch(path, init)
    // What only asks is asked again where the server was too busy just then.
    const asks = asking.method === 'get' || asking.path.startsWith('query/') || asking.path === 'people'
    for (let again = 0; asks && again < 2 && (await busy(response)); again += 1) {
      const seconds = Number(response.headers.get('retry-after') ?? 1) || 1
      await new Promise((resolve) => setTimeout(resolve, Math.min(seconds, 3) * 1000))
      response = await fetch(path, init)
    }
  } catch (error) {
    if (asking.signal?.aborted) throw error
    throw new ApiError(0, 'unreachable', 'The server does not answer. It may have been stopped, or the network is down.')
  }
  if (!response.ok) throw await problem(response)
  const tag = response.headers.get('etag')
  if (response.status === 204) return { data: null as T, meta: { requestId: '', version: '' }, tag }
  let body: unknown
  try {
    body = await response.json()
  } catch (error) {
    if (asking.signal?.aborted) throw error
  }
  // What stands between us and the server may answer in its place, and not in its form.
  if (!answers<T>(body)) throw new ApiError(response.status, 'unreadable', 'The answer cannot be read: something between here and the server may have given it.', response.headers.get('x-request-id'))
  return { data: body.data, meta: body.meta, tag }
}

const answers = <T>(body: unknown): body is { data: T; meta: Meta } => {
  const { data, meta } = (body ?? {}) as { data?: unknown; meta?: unknown }
  return data !== undefined && data !== null && typeof meta === 'object' && meta !== null
}

/** Whether it may go better in a moment: a question that takes too long takes as long again. */
async function busy(response: Response): Promise<boolean> {
  if (response.status !== 503) return response.status === 429
  const body = (await response.clone().json().catch(() => null)) as { code?: string } | null
  return body?.code !== 'timeout'
}

async function problem(response: Response): Promise<ApiError> {
  const id = response.headers.get('x-request-id')
  if (response.status === 401 && !response.url.endsWith('/session')) ended()
  try {
    const body = (await response.json()) as { code: string; detail: string; requestId: string; errors?: FieldError[] }
    return new ApiError(response.status, body.code, body.detail, body.requestId ?? id, body.errors ?? [])
  } catch {
    return new ApiError(response.status, 'unexpected', `The server answered ${response.status}.`, id)
  }
}

type Method = 'get' | 'post' | 'put' | 'delete'

/** The paths below the API's root, and those beside it as they are. */
type Local<P> = P extends `${Root}/${infer Rest}` ? Rest : P
type Of<P extends string> = P extends `/${string}` ? (P extends keyof paths ? paths[P] : never) : `${Root}/${P}` extends keyof paths ? paths[`${Root}/${P}`] : never
/** The paths that can be called by a method. */
type Path<M extends Method> = { [P in keyof paths & string]: paths[P] extends Record<M, { responses: unknown }> ? Local<P> : never }[keyof paths & string]
type Operation<P extends string, M extends Method> = Of<P> extends Record<M, infer O> ? O : never

type Json<R> = R extends { content: { 'application/json': infer J } } ? J : never
type Good<R> = Json<R extends Record<200, infer A> ? A : R extends Record<201, infer A> ? A : R extends Record<202, infer A> ? A : never>
type Data<O> = O extends { responses: infer R } ? (Good<R> extends { data: infer D } ? D : null) : never

type Within<O, K extends 'path' | 'query'> = O extends { parameters: infer P } ? (P extends Record<K, infer V> ? V : P extends Partial<Record<K, infer V>> ? V : undefined) : undefined
type Body<O> = O extends { requestBody?: infer R } ? ([NonNullable<R>] extends [never] ? undefined : NonNullable<R> extends { content: { 'application/json': infer B } } ? B : undefined) : undefined
type Need<K extends string, V> = [V] extends [undefined] ? object : Record<K, V>

type Given<O> = Need<'path', Within<O, 'path'>> & { query?: Within<O, 'query'>; tag?: string | null }
type More<O> = Given<O> & Need<'body', Body<O>>
type Rest<T> = object extends T ? [given?: T] : [given: T]

function asking<T>(method: Method, path: string, given: { path?: unknown; query?: unknown; body?: unknown; tag?: string | null } = {}): Asking<T> {
  const values = Object.entries((given.path ?? {}) as Record<string, string>)
  const filled = values.reduce((to, [name, value]) => to.replace(`{${name}}`, encodeURIComponent(value)), path)
  const pairs = Object.entries((given.query ?? {}) as Record<string, string | number | boolean | undefined>).filter(([, value]) => value !== undefined && value !== '')
  const search = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString()
  return { method, path: search ? `${filled}?${search}` : filled, ...(given.body === undefined ? {} : { body: given.body }), ...(given.tag === undefined ? {} : { tag: given.tag }) }
}

export const get = <P extends Path<'get'>>(path: P, ...[given]: Rest<Given<Operation<P, 'get'>>>): Asking<Data<Operation<P, 'get'>>> => asking('get', path, given)
export const post = <P extends Path<'post'>>(path: P, ...[given]: Rest<More<Operation<P, 'post'>>>): Asking<Data<Operation<P, 'post'>>> => asking('post', path, given)
export const put = <P extends Path<'put'>>(path: P, ...[given]: Rest<More<Operation<P, 'put'>>>): Asking<Data<Operation<P, 'put'>>> => asking('put', path, given)
export const remove = <P extends Path<'delete'>>(path: P, ...[given]: Rest<Given<Operation<P, 'delete'>>>): Asking<Data<Operation<P, 'delete'>>> => asking('delete', path, given)

/** A question to a word in its JSON form. */
export const word = <W extends keyof Answers>(name: W, question: unknown): Asking<Answers[W]> => ({ method: 'post', path: `query/${name}`, body: question })

export type Session = Schemas['Session']
export type Metric = Schemas['RealtimeMetric']
export type Person = Schemas['Person']
export type People = Schemas['People']
export type Profile = Schemas['Profile']
/** A widget as it is kept: its configuration may hold more than its type knows. */
export type Widget = Schemas['CustomDashboard']['widgets'][number]
export type WidgetDraft = Schemas['Widget']
export type Dashboard = Schemas['CustomDashboard']
export type Template = Schemas['Template']
export type WidgetData = Schemas['WidgetData']
export type SharedWith = Schemas['SharedWith']
export type Sharing = Schemas['Sharing']
export type CohortDefinition = Schemas['CohortDefinition']
export type AlertDraft = Schemas['AlertDraft']
export type AlertPatch = Schemas['AlertPatch']
export type Job = Schemas['DashboardExportJob']
export type Entry = Schemas['AuditEntry']
export type Catalogue = Schemas['Catalogue']
export type Cohort = Schemas['Cohort']
export type Insight = Schemas['UserBehaviorInsight']
export type Alert = Schemas['Alert']
export type Notification = Schemas['Notification']
