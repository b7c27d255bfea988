import type { Funnel } from './answers'
import type { Widget, WidgetData } from './api'
import { groupName, literal } from './event'
import { count, day, percent } from './format'
import type { Grid } from './grid'
import type { Filter } from './only'
import { link } from './place.svelte'
import { write } from './steps'

/** How deep one can look into what a widget shows: its numbers as a table, its question, the page that answers it, the people behind a part of it. */

type Line = { group: string | null; values: (string | number | null)[] }
export type Series = { buckets: { start: string; end: string }[]; series: Line[]; truncated: boolean }
export type Rows = { rows: { group: string | null; value: string | number | null; count: number }[]; truncated: boolean }
export type Figure = { value: string | number | null; count: number; previous: string | number | null }

type Shown = { kind: string } & Record<string, unknown>
export const shownBy = (answer: WidgetData | undefined): Shown | null => (answer?.data ? (answer.data as Shown) : null)

const civil = (at: string, zone: string): string => new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(new Date(at))

/** The range of a widget's data as the address of a page holds it. */
function ranged(answer: WidgetData, zone: string): Record<string, string> {
  if (!answer.startDate || !answer.endDate) return {}
  return { from: civil(answer.startDate, zone), to: civil(new Date(Date.parse(answer.endDate) - 1).toISOString(), zone) }
}

/** The page that answers a widget's question, of what its dashboard is narrowed to, with what it is called. */
export function page(widget: Widget, answer: WidgetData | undefined, zone: string, only: Filter[] = []): { href: string; title: string } | null {
  const data = shownBy(answer)
  if (!data || !answer) return null
  if (data.kind === 'realtime') return { href: link('/', { window: String(widget.config.timeRange ?? 'last_15_minutes') === 'last_hour' ? null : String(widget.config.timeRange ?? 'last_15_minutes') }), title: 'Open in Live' }
  if (data.kind === 'funnel') {
    const f = data as unknown as Funnel
    const win = f.window % 86_400 === 0 ? `${f.window / 86_400}d` : `${Math.round(f.window / 60)}m`
    return { href: link('/funnels', { steps: write(f.steps.map((s) => ({ e: typeof s.event === 'string' ? s.event : '', ...(only.length ? { w: only.map((f) => ({ p: f.property, o: 'is', v: String(f.value) })) } : {}) }))), win, last: null, ...ranged(answer, zone) }), title: 'Open in Funnels' }
  }
  if (widget.dataSource !== 'user_events' || only.length) return null
  const event = typeof widget.config.event === 'string' ? widget.config.event : null
  return { href: link('/engagement', { event, last: null, ...ranged(answer, zone) }), title: 'Open in Engagement' }
}

/**
 * Who did what a part of a widget counts; only events are done by people. Widgets compare values as text, questions by their type: only of
 * texts is the number the length of the list.
 */
export function behind(widget: Widget, answer: WidgetData | undefined, zone: string, part: { group?: string | null; bucket?: { start: string; end: string } }, only: Filter[] = []): { question: Record<string, unknown>; title: string } | null {
  if (widget.dataSource !== 'user_events' || !answer?.startDate || !answer.endDate || only.some((f) => typeof f.value !== 'string')) return null
  const by = typeof widget.config.groupBy === 'string' ? widget.config.groupBy : widget.type === 'table' ? 'name' : widget.type === 'map' ? 'properties.country' : ''
  const given = part.group !== undefined && by !== ''
  // Groups that stand for several others, or for a lack, are no filter.
  if (given && (part.group === null || part.group === 'Other' || !(by === 'name' || by.startsWith('properties.')))) return null
  const event = given && by === 'name' ? part.group : widget.config.event
  const filters = [...(given && by !== 'name' ? [{ property: by.slice('properties.'.length), value: literal(part.group!) }] : []), ...only].map((f) => ({ ...f, op: 'is' }))
  return {
    question: {
      startDate: part.bucket?.start ?? answer.startDate,
      endDate: part.bucket?.end ?? answer.endDate,
      timezone: zone,
      ...(typeof event === 'string' ? { event } : {}),
      ...(filters.length ? { filters } : {}),
    },
    title: [given || event ? `People of ${String(given ? part.group : event)}` : 'Active people', part.bucket ? day(part.bucket.start, zone) : ''].filter(Boolean).join(', '),
  }
}

/** A funnel's question as its widget asks it: the people behind its numbers are those of the same question. */
export function funnelOf(widget: Widget, answer: WidgetData | undefined, zone: string, only: Filter[] = []): Record<string, unknown> | null {
  if (!answer?.startDate || !answer.endDate) return null
  const { last: _last, timeRange: _range, refreshInterval: _every, layout: _place, filters, ...own } = widget.config as Record<string, unknown>
  const all = [...(Array.isArray(filters) ? (filters as unknown[]) : []), ...only.map((f) => ({ ...f, op: 'is' }))]
  return { ...own, startDate: answer.startDate, endDate: answer.endDate, timezone: zone, ...(all.length ? { filters: all } : {}) }
}

/** A widget's numbers as a table. */
export function grid(widget: Widget, answer: WidgetData | undefined, zone: string, written: (v: string | number | null | undefined) => string): Grid | null {
  const data = shownBy(answer)
  if (!data) return null
  const show = (v: unknown): string => written(v as number)
  if (data.kind === 'series') {
    const s = data as unknown as Series
    const lines = s.series.map((line, i) => ({ key: `g${i}`, title: line.group === null && s.series.length === 1 ? widget.title : groupName(line.group), line }))
    return {
      columns: [{ key: 'from', title: 'From', show: (v) => day(v as string, zone) }, ...lines.map(({ key, title }) => ({ key, title, numeric: true, show }))],
      rows: s.buckets.map((b, i) => ({ from: b.start, ...Object.fromEntries(lines.map(({ key, line }) => [key, line.values[i]])) })),
    }
  }
  if (data.kind === 'rows') {
    const r = data as unknown as Rows
    return { columns: [{ key: 'group', title: 'Group', show: (v) => groupName(v as string | null) }, { key: 'value', title: widget.title, numeric: true, show }, { key: 'count', title: 'Rows', numeric: true, show: (v) => count(v as number) }], rows: r.rows.map((row) => ({ ...row })) }
  }
  if (data.kind === 'funnel') {
    const f = data as unknown as Funnel
    return {
      columns: [{ key: 'step', title: 'Step', numeric: true }, { key: 'event', title: 'Event' }, { key: 'count', title: 'Reached', numeric: true, show: (v) => count(v as number) }, { key: 'rate', title: 'Of first', numeric: true, show: (v) => percent(v as number) }],
      rows: f.steps.map((s) => ({ step: s.step, event: typeof s.event === 'string' ? s.event : JSON.stringify(s.event), count: s.count, rate: s.rate.value })),
    }
  }
  const value = data.kind === 'figure' ? data.value : data.value
  return { columns: [{ key: 'what', title: 'What' }, { key: 'value', title: 'Value', numeric: true, show }], rows: [{ what: widget.title, value }] }
}
