import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { NUMBERS, blank, draftOf, formOf, kinds, watched, watching, type Form } from './alert'
import type { Alert, Catalogue, Metric } from './api'
import { eventName, literal, nodeName } from './event'
import { compared } from './forecast'
import { bytes, change, duration, pValue, percent, points } from './format'
import { csv } from './grid'
import { labels, within } from './labels'
import { boxOf, change as moved, free, place, settle, COLUMNS, type Box } from './layout'
import { behind } from './metric'
import { near } from './near'
import { readOnly, writeOnly, type Only } from './only'
import { before, days, isDate, isZone, plus, preset, read, readable, timeOfDay, today, wire, wireBefore } from './range'
import { sql } from './sql'
import { counted, exclusions, property, question, read as readSteps, readExclusions, stepOf, write, writeExclusions } from './steps'
import { parse, words } from './window'

describe('a real-time number', () => {
  const metric = (metricName: string, timestamp = '2026-03-01T12:00:00.000001Z'): Metric => ({ metricName, timestamp, metadata: { windowSeconds: 900 } }) as unknown as Metric
  const catalogue = { pageViews: ['page_view'], conversions: [], errors: ['error'], revenue: { events: ['payment', 'refund'] } } as unknown as Catalogue

  it('is of the people of its window, whose end is in it and whose beginning is not, to the microsecond', () => {
    expect(behind(metric('active_users'), catalogue, 'UTC')!.question).toEqual({ startDate: '2026-03-01T11:45:00.000002Z', endDate: '2026-03-01T12:00:00.000002Z', timezone: 'UTC', metrics: ['active_users'] })
    expect(behind(metric('active_users', '2026-03-01T12:00:00Z'), null, 'UTC')!.question).toMatchObject({ startDate: '2026-03-01T11:45:00.000001Z', endDate: '2026-03-01T12:00:00.000001Z' })
    expect(behind(metric('active_users', '2026-03-01T12:00:00.999999Z'), null, 'UTC')!.question).toMatchObject({ endDate: '2026-03-01T12:00:01.000000Z' })
  })

  it('is of those who did what the catalogue says it counts, and of nobody where it names nothing', () => {
    expect(behind(metric('page_views'), catalogue, 'UTC')!.question.event).toEqual(['page_view'])
    expect(behind(metric('revenue_per_minute'), catalogue, 'UTC')!.question.event).toEqual(['payment', 'refund'])
    expect(behind(metric('conversion_rate'), catalogue, 'UTC')).toBeNull()
    expect(behind(metric('error_rate'), null, 'UTC')).toBeNull()
  })
})

describe('ranges', () => {
  it('hold complete days only, whatever the day', () => {
    const day = '2026-03-01'
    const table: [string, string, string][] = [
      ['today', '2026-03-01', '2026-03-01'],
      ['yesterday', '2026-02-28', '2026-02-28'],
      ['7d', '2026-02-22', '2026-02-28'],
      ['30d', '2026-01-30', '2026-02-28'],
      ['week', '2026-02-23', '2026-03-01'],
      ['lastweek', '2026-02-16', '2026-02-22'],
      ['month', '2026-03-01', '2026-03-01'],
      ['lastmonth', '2026-02-01', '2026-02-28'],
      ['nonsense', '2026-01-30', '2026-02-28'],
      ['0d', '2026-01-30', '2026-02-28'],
    ]
    for (const [name, startDate, endDate] of table) expect(preset(name, day), name).toEqual({ startDate, endDate })
  })

  it('are read from a link, and what is no range is the default', () => {
    const now = new Date('2026-03-01T12:00:00Z')
    const of = (text: string) => read(new URLSearchParams(text), 'UTC', now)
    expect(of('from=2026-01-01&to=2026-01-31')).toEqual({ startDate: '2026-01-01', endDate: '2026-01-31' })
    for (const text of ['', 'from=2026-02-01&to=2026-01-31', 'from=2026-02-30&to=2026-03-01', 'from=x&to=y']) {
      expect(of(text), text).toEqual({ startDate: '2026-01-30', endDate: '2026-02-28' })
    }
  })

  it('know the day of the zone, and clock changes do not shift them', () => {
    expect(today('Pacific/Auckland', new Date('2026-03-01T12:00:00Z'))).toBe('2026-03-02')
    expect(today('America/Los_Angeles', new Date('2026-03-01T02:00:00Z'))).toBe('2026-02-28')
    expect(plus('2026-03-28', 2)).toBe('2026-03-30')
    expect(plus('2024-02-28', 1)).toBe('2024-02-29')
    expect(days({ startDate: '2026-03-01', endDate: '2026-03-31' })).toBe(31)
    expect(before({ startDate: '2026-03-01', endDate: '2026-03-31' })).toEqual({ startDate: '2026-01-29', endDate: '2026-02-28' })
    expect([isDate('2026-02-29'), isDate('2024-02-29'), isZone('Europe/Paris'), isZone('Mars/Base'), isZone('+05:00')]).toEqual([false, true, true, false, false])
  })

  it('of one day end with a moment, and what is not over is held against as much', () => {
    const [day, now] = ['2026-03-01', '2026-03-01T12:00:00Z']
    const one = (date: string) => ({ startDate: date, endDate: date })
    expect(wire(one(day), day, now)).toEqual({ startDate: day, endDate: now })
    expect(wire(one('2026-02-28'), day, now)).toEqual({ startDate: '2026-02-28', endDate: '2026-03-01T00:00:00' })
    const week = { startDate: '2026-02-23', endDate: day }
    expect(wire(week, day, now)).toEqual(week)
    expect(wireBefore(week, day, timeOfDay('Europe/Paris', new Date(now)))).toEqual({ startDate: '2026-02-16', endDate: '2026-02-22T13:00:00' })
    expect(wireBefore({ startDate: '2026-02-22', endDate: '2026-02-28' }, day, '13:00:00')).toEqual({ startDate: '2026-02-15', endDate: '2026-02-21' })
    expect(wireBefore(one('2026-02-28'), day, '13:00:00')).toEqual({ startDate: '2026-02-27', endDate: '2026-02-28T00:00:00' })
    expect(sql({ ...wireBefore(week, day, '13:00:00'), timezone: 'Europe/Paris' })).toContain("e.ts < (timestamp '2026-02-22 13:00:00') at time zone 'Europe/Paris'")
  })

  it('are read by periods that can be drawn', () => {
    const of = (startDate: string, per: string | null = null): string => readable(per, { startDate, endDate: '2026-03-01' })
    expect([of('2026-02-01'), of('2025-02-01'), of('2020-01-01'), of('2020-01-01', 'daily'), of('1970-01-01', 'weekly'), of('2025-02-01', 'daily'), of('2026-02-01', 'x')]).toEqual(['daily', 'weekly', 'monthly', 'weekly', 'monthly', 'daily', 'daily'])
  })
})

describe('a funnel in a link', () => {
  it('comes back as it was written', () => {
    const plain = [{ e: 'search' }, { e: 'complete_booking' }]
    expect(write(plain)).toBe('search,complete_booking')
    const rich = [{ e: '' }, { e: 'a,b', w: [{ p: 'country', o: 'is', v: 'FR|DE' }], o: 1 as const }]
    for (const steps of [plain, rich]) expect(readSteps(write(steps))).toEqual(steps)
    for (const broken of [null, '', '[', '[1', '{}[']) expect(readSteps(broken) === null || Array.isArray(readSteps(broken))).toBe(true)
    expect(readSteps('[1,{"x":2},{"e":"a"}]')).toEqual([{ e: 'a' }])
  })

  it('becomes the question of the API', () => {
    expect(question({ e: 'search' })).toBe('search')
    expect(question({ e: '' })).toBe(null)
    expect(question({ e: 'pay', o: 1, w: [{ p: 'amount', o: 'gt', v: '10' }, { p: '', o: 'is', v: 'x' }] })).toEqual({ event: 'pay', optional: true, where: [{ property: 'amount', op: 'gt', value: 10 }] })
    expect(question({ e: 'a', w: [{ p: 'c', o: 'is', v: 'FR | DE' }, { p: 'd', o: 'exists', v: '' }] })).toEqual({ event: 'a', where: [{ property: 'c', op: 'is', value: ['FR', 'DE'] }, { property: 'd', op: 'exists' }] })
    expect([property('country'), property('user:plan'), property('cohort:VIP')]).toEqual(['country', { user: 'plan' }, { cohort: 'VIP' }])
  })

  it('has gaps between steps, and what is no length of time is none', () => {
    expect(question({ e: 'pay', min: '5m', max: '2d' })).toEqual({ event: 'pay', minGap: '5m', maxGap: '2d' })
    expect(question({ e: 'pay', max: 'soon' })).toBe('pay')
    expect(readSteps(write([{ e: 'a' }, { e: 'b', max: '1h' }]))).toEqual([{ e: 'a' }, { e: 'b', max: '1h' }])
  })
  it('excludes events between steps that are not optional', () => {
    const steps = [{ e: 'a' }, { e: 'b' }, { e: 'c' }, { e: 'd', o: 1 as const }]
    expect([writeExclusions([{ e: 'x' }, { e: 'y' }]), writeExclusions([])]).toEqual(['x,y', ''])
    const bound = [{ e: 'x', from: 2, to: 3 }]
    expect(readExclusions(writeExclusions(bound), 4)).toEqual(bound)
    expect(exclusions(bound, steps)).toEqual([{ event: 'x', from: 2, to: 3 }])
    // The last step is optional: it bounds nothing. An event without a name excludes nothing.
    expect(exclusions([{ e: 'x' }, { e: '' }], steps)).toEqual([{ event: 'x', to: 3 }])
    expect(exclusions([{ e: 'x' }], steps.slice(0, 3))).toEqual(['x'])
    // Bounds of steps that there are no more.
    expect(readExclusions(writeExclusions(bound), 2)).toEqual([{ e: 'x' }])
    expect(readExclusions('[{"e":"x","from":3,"to":2}]', 4)).toEqual([{ e: 'x' }])
    expect(readExclusions('[', 4)).toEqual([])
  })
  it('is read back from what the API was asked, where the builder can show it', () => {
    const steps = [{ e: '' }, { e: 'a' }, { e: 'pay', o: 1 as const, max: '2d', w: [{ p: 'country', o: 'is', v: 'FR|DE' }, { p: 'user:plan', o: 'exists', v: '' }, { p: 'n', o: 'gt', v: '3' }] }]
    for (const step of steps) expect(stepOf(question(step))).toEqual(step)
    for (const other of [['a', 'b'], { event: ['a', 'b'] }, { event: 'a', where: [{ property: { user: 'plan', at: 'as_of' }, op: 'is', value: 'x' }] }, { event: 'a', maxGap: 90 }, { event: 'a', new: 1 }, 7]) expect(stepOf(other), JSON.stringify(other)).toBe(null)
  })
  it('tells numbers from text', () => {
    expect(['10', '1.5', '-3', '010', '1e5', 'true', '', '9007199254740993'].map(literal)).toEqual([10, 1.5, -3, '010', '1e5', true, '', '9007199254740993'])
  })

  it('has a window that reads well', () => {
    expect([parse('7d'), parse('0d'), parse('7'), parse('x')]).toEqual([{ n: 7, unit: 'd' }, null, null, null])
    expect([words('1d'), words('30m')]).toEqual(['1 day', '30 minutes'])
  })
})

describe('names', () => {
  it('are told as people say them', () => {
    expect(eventName(null)).toBe('any event')
    expect(eventName(['a', 'b'])).toBe('a or b')
    expect(eventName({ event: 'pay', where: [{ property: 'amount', op: 'gt', value: 10 }] })).toBe('pay where amount > 10')
    expect([nodeName('x'), nodeName({ reserved: 'truncated' })]).toEqual(['x', 'Goes on'])
  })
})

describe('numbers', () => {
  it('are short, and exact where it matters', () => {
    expect([null, 0, 0.4, 59.4, 60, 119.9, 3600, 5025, 86_400, 172_799].map(duration)).toEqual(['–', '0 s', '400 ms', '59 s', '1 min', '2 min', '1 h', '1 h 24 min', '1 d', '2 d'])
    expect([percent(null), percent(0.5), percent(0.0012), percent(0)]).toEqual(['–', '50.0%', '0.12%', '0.0%'])
    expect([change(0.5), change(-0.05), change(0), change(null)]).toEqual(['▲ +50%', '▼ −5.0%', '± 0.0%', '–'])
    expect([points(0.0123), points(-0.2)]).toEqual(['+1.2 pt', '−20 pt'])
    expect([pValue(0.0004), pValue(0.001), pValue(0.04567), pValue(1)]).toEqual(['< 0.001', '0.001', '0.046', '1.000'])
    expect([bytes(999), bytes(12_340), bytes(5_600_000)]).toEqual(['999 B', '12.3 kB', '5.6 MB'])
  })
})

describe('what a funnel counts', () => {
  it('is people, unless it is what one of them may have several of', () => {
    expect([{}, { unit: 'users' }, { unit: 'sessions' }, { unit: 'totals' }].map(counted)).toEqual([null, null, 'sessions', 'attempts'])
  })
})

describe('a table as CSV', () => {
  it('is quoted, and no cell is a formula', () => {
    const grid = { columns: [{ key: 'a', title: 'A "x"' }, { key: 'b', title: 'B', numeric: true }], rows: [{ a: 'x,\ny', b: -1.5 }, { a: '=1+1', b: null }, { a: 'مرحبا', b: 2 }] }
    expect(csv(grid)).toBe('"A ""x""",B\r\n"x,\ny",-1.5\r\n\'=1+1,\r\nمرحبا,2\r\n')
  })
})

describe('the grid of a dashboard', () => {
  const apart = (boxes: Box[]): boolean =>
    boxes.every((a, i) => a.x >= 0 && a.x + a.w <= COLUMNS && boxes.every((b, j) => i === j || a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y))

  it('believes no layout that does not fit', () => {
    expect(boxOf({ layout: { x: 0, y: 0, w: 3, h: 2 } })).toEqual({ x: 0, y: 0, w: 3, h: 2 })
    for (const layout of [null, 1, {}, { x: 10, y: 0, w: 3, h: 2 }, { x: -1, y: 0, w: 1, h: 1 }, { x: 0, y: 0, w: 1.5, h: 1 }, { x: 0, y: 0, w: 1, h: 99 }]) expect(boxOf({ layout })).toBe(null)
  })

  it('places widgets without a layout one beside the other', () => {
    const boxes = place([...Array(4).fill({ type: 'metric', config: {} }), { type: 'chart', config: {} }, { type: 'funnel', config: {} }])
    expect(boxes.map((b) => [b.x, b.y])).toEqual([[0, 0], [3, 0], [6, 0], [9, 0], [0, 2], [6, 2]])
    expect(free({ w: 12, h: 1 }, boxes).y).toBe(6)
  })

  it('never lets two widgets overlap, whatever is moved where', () => {
    let seed = 7
    const random = (n: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor((seed / 2_147_483_648) * n)
    }
    let wrong = false
    let boxes = place(Array.from({ length: 20 }, (_, i) => ({ type: ['metric', 'chart', 'table'][i % 3]!, config: {} })))
    for (let i = 0; i < 200; i += 1) {
      const to = random(2) ? { x: random(14) - 1, y: random(30) - 1 } : { w: random(14), h: random(14) }
      boxes = moved(boxes, random(20), to, ['metric', 'chart', 'table'][random(3)]!)
      wrong ||= !apart(boxes) || JSON.stringify(settle(boxes)) !== JSON.stringify(boxes)
    }
    expect(wrong).toBe(false)
  })

  it('moves a widget down past the one below it', () => {
    const boxes = [{ x: 0, y: 0, w: 6, h: 2 }, { x: 0, y: 2, w: 6, h: 2 }]
    expect(moved(boxes, 0, { y: 2 }, 'chart').map((b) => b.y)).not.toEqual([0, 2])
  })
})

describe('what a dashboard is narrowed to', () => {
  it('comes back from a link as it was written, whatever the values hold', () => {
    expect(writeOnly([['country', 'FR'], ['plan', 'premium']])).toBe('country:FR,plan:premium')
    const odd: Only = [['a:b', 'Paris, France'], ['100%', '%2C'], ['<b>', 'مرحبا 🎉']]
    expect(readOnly(writeOnly(odd))).toEqual(odd)
    expect(writeOnly([])).toBe(null)
  })

  it('leaves out what is no filter, and more than the API takes', () => {
    for (const broken of [null, '', ',', 'country', ':FR', 'country:', 'a:b:c']) expect(readOnly(broken), String(broken)).toEqual([])
    expect(readOnly('x:%E0%A4%A,country:FR')).toEqual([['x', '%E0%A4%A'], ['country', 'FR']])
    expect(readOnly(Array(20).fill('a:b').join(','))).toHaveLength(10)
  })
})

describe('what came of a forecast', () => {
  it('is compared series by series, as it was expected so far ahead, the last run of a time', () => {
    const rows = {
      madeAt: ['2026-01-01', '2026-01-01', '2026-01-02', '2026-01-03', '2026-01-03'],
      uniqueId: ['a', 'a', 'a', 'b', 'a'],
      ds: ['2026-01-02', '2026-01-03', '2026-01-03', '2026-01-03', '2026-01-03'],
      h: [1, 2, 1, 1, 1],
      mean: [10, 11, 12, 99, 13],
      lower: [8, 8, 9, null, null],
      upper: [12, 14, 15, null, null],
      y: [9, 12, 12, 98, 12],
    }
    expect(compared(rows, 'a', 1)).toEqual([
      { ds: '2026-01-02', y: 9, mean: 10, lower: 8, upper: 12 },
      { ds: '2026-01-03', y: 12, mean: 13, lower: null, upper: null },
    ])
    expect(compared(rows, 'a', 2).map((p) => p.mean)).toEqual([11])
    expect(compared(rows, 'c', 1)).toEqual([])
  })
})

describe('a rule in its form', () => {
  const alert = (form: Form): Alert => ({ ...(draftOf(form) as object), _id: 'x' }) as unknown as Alert
  const back = (form: Form): unknown => draftOf(formOf(alert(form), 'UTC'))
  const base: Form = { ...blank('Europe/Paris'), name: 'Rule' }

  it('comes back as the same rule, whatever it looks at and for', () => {
    const looks: Partial<Form>[] = [
      { looks: 'metric', metric: 'active_users' },
      { looks: 'system', system: 'export_failures' },
      ...Object.keys(NUMBERS).map((number) => ({ looks: 'answer' as const, number, steps: [{ e: 'a' }, { e: 'b', o: 1 as const }], lastDays: NUMBERS[number]!.lastDays === undefined ? null : 10 })),
      { looks: 'answer', number: 'own', word: 'pickup', question: '{"x": [1, null]}', value: '/a/0', low: '/b', lastDays: null },
    ]
    const more: Partial<Form>[] = [
      {},
      { kind: 'threshold', above: 7.3, below: 0.1 },
      { kind: 'threshold', above: null, below: 5, recover: 6.25 },
      { kind: 'change', by: 12.5, direction: 'down', against: 'previous' },
      { kind: 'no_data', when: 'at', at: '23:59', days: ['sunday'], hold: 3, clear: 2, coolDown: 0.5, group: 'g', every: 360 },
      { channels: [{ kind: 'users', to: 'ada, alan' }, { kind: 'slack', to: 'https://hooks.example.com/x' }, { kind: 'webhook', to: 'https://example.com' }, { kind: 'email', to: 'a@example.com' }], maintenance: [{ days: ['monday'], from: '22:00', to: '04:00', zone: 'Asia/Tokyo' }] },
    ]
    for (const a of looks) for (const b of more) expect(back({ ...base, ...a, ...b }), JSON.stringify([a, b])).toEqual(draftOf({ ...base, ...a, ...b }))
  })
  it('keeps what the API has of a rule, every field', () => {
    const answer = { word: 'forecast', question: { x: 1 }, lastDays: 3, value: '/points/0/mean', low: '/points/0/lower', high: '/points/0/upper' }
    const sources: [object, string[], object[]][] = [
      [{ metric: 'page_views', timeRange: 'last_hour' }, ['AlertMetric', 'AlertMetricCondition'], [{ type: 'anomaly', direction: 'up' }, { type: 'change', by: 0.2, direction: 'down', against: 'week_before' }]],
      [answer, ['AlertAnswer', 'AlertEstimate', 'AlertAnswerCondition', 'AlertEstimateCondition'], [{ type: 'band' }, { type: 'band', against: 'previous' }, { type: 'band', against: 'week_before' }, { type: 'change', by: 0.2, direction: 'either', against: 'previous' }]],
      [{ ...answer, word: 'detect_anomalies' }, [], [{ type: 'band', against: 'previous' }]],
      [{ word: 'churn', question: { horizonDays: 30 }, lastDays: 90, value: '/summary/averageProbability' }, [], []],
      [{ system: 'freshness', source: 'nats EVENTS' }, ['AlertSystem', 'AlertSystemCondition'], []],
      [{ system: 'failures' }, [], []],
    ]
    const always = [{ type: 'threshold', above: 0.5, recover: 0.25 }, { type: 'threshold', above: 0.5, below: 0.25 }, { type: 'no_data' }]
    const rest = { name: 'R', severity: 'critical', for: 2, clearFor: 3, coolDown: 30, group: 'g', channels: [{ type: 'in_app', roles: ['admin'] }], maintenance: [{ days: ['sunday'], from: '01:00', to: '02:00', timezone: 'Asia/Tokyo' }] }
    const schemas = (JSON.parse(readFileSync(new URL('../../../openapi.json', import.meta.url), 'utf8')) as { components: { schemas: Record<string, { properties?: object; anyOf?: { properties?: object }[] }> } }).components.schemas
    for (const [source, described, more] of sources) {
      const tried = new Set<string>()
      for (const condition of [...always, ...more]) {
        for (const schedule of [{ every: 300, timezone: 'UTC' }, { at: '07:00', days: ['monday'], timezone: 'UTC' }]) {
          const rule = { ...rest, source, condition, schedule }
          expect(draftOf(formOf(rule as unknown as Alert, 'Europe/Paris'))).toEqual(rule)
        }
        for (const key of [...Object.keys(source), ...Object.keys(condition)]) tried.add(key)
      }
      // A field that the API takes and this does not try is one that the form may lose.
      const taken = described.flatMap((name) => [schemas[name]!, ...(schemas[name]!.anyOf ?? [])]).flatMap((s) => Object.keys(s.properties ?? {}))
      expect(taken.filter((key) => !tried.has(key)), described.join()).toEqual([])
    }
  })
  it('writes shares in percent, and offers what goes with what is looked at', () => {
    const condition = (form: Partial<Form>): unknown => (draftOf({ ...base, ...form }) as unknown as { condition: unknown }).condition
    expect(condition({ metric: 'error_rate', above: 2.9 })).toEqual({ type: 'threshold', above: 0.029 })
    expect(condition({ metric: 'page_views', above: 2.9 })).toEqual({ type: 'threshold', above: 2.9 })
    expect(kinds(base).map((k) => k[0])).toEqual(['threshold', 'change', 'anomaly', 'no_data'])
    expect(kinds({ ...base, looks: 'system' }).map((k) => k[0])).toEqual(['threshold', 'no_data'])
    expect(kinds({ ...base, looks: 'answer' }).map((k) => k[0])).toEqual(['threshold', 'change', 'band', 'no_data'])
    // What does not go with it is not sent.
    expect(condition({ looks: 'system', kind: 'anomaly' })).toEqual({ type: 'threshold', above: 5 })
  })
  it('says what lacks', () => {
    const wrong: [Partial<Form>, RegExp][] = [
      [{ above: null }, /limit/],
      [{ kind: 'change', by: null }, /how much/],
      [{ channels: [{ kind: 'email', to: ' ' }] }, /Whom/],
      [{ looks: 'answer', number: 'own', question: '[1]' }, /JSON object/],
      [{ looks: 'answer', number: 'own', question: '{' }, /JSON object/],
    ]
    for (const [form, text] of wrong) expect(() => draftOf({ ...base, ...form })).toThrow(text)
  })
  it('is begun from a number on a page, over as many days', () => {
    const question = { steps: ['a', 'b'], window: '3d', startDate: '2026-01-01', endDate: '2026-01-14', timezone: 'UTC' }
    const form = watched(watching({ name: 'N', word: 'funnel', question, value: '/rate/value', low: '/rate/low', high: '/rate/high' }), 'UTC')!
    expect([form.name, form.number, form.lastDays, form.window, form.steps]).toEqual(['N', 'conversion', 14, '3d', [{ e: 'a' }, { e: 'b' }]])
    expect((draftOf(form) as unknown as { source: unknown }).source).toEqual({ word: 'funnel', question: { steps: ['a', 'b'], window: '3d' }, lastDays: 14, value: '/rate/value', low: '/rate/low', high: '/rate/high' })
    for (const broken of [null, '', '{', '[]', '1', '{"word":1}', '{"word":"funnel"}']) expect(watched(broken, 'UTC'), String(broken)).toBe(null)
  })
})

describe('names', () => {
  it('that somebody may have meant are found', () => {
    const names = ['search', 'view_trip', 'start_booking', 'complete_booking', 'Create Fine', 'map']
    expect(near('searxh', names)).toEqual(['search'])
    expect(near('viewtrip', names)).toEqual(['view_trip'])
    expect(near('booking', names)).toEqual(['start_booking', 'complete_booking'])
    expect(near('create fine', names)).toEqual(['Create Fine'])
    for (const none of ['zzz', '', '—', 'x']) expect(near(none, names), none).toEqual([])
  })
  it('that are the same for different values are told apart, and keep their direction to themselves', () => {
    const groups = [10, '10', null, '(not set)', 'a'].map((value) => ({ kind: value === null ? 'unset' : 'value', value, label: value === null ? '(not set)' : String(value) }))
    expect(labels(groups)).toEqual(['10', '“10”', '(not set)', '“(not set)”', 'a'])
    expect([within('abc'), within('مرحبا')]).toEqual(['abc', '\u2068مرحبا\u2069'])
    expect([nodeName('Other'), nodeName({ reserved: 'other' }), nodeName('other')]).toEqual(['“Other”', 'Other', 'other'])
  })
})
