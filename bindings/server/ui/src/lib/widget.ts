import { amount, count, number } from './format'
import { names } from './names.svelte'

/** What widgets may be; the server has the last word. */
export const TYPES: Record<string, { title: string; text: string; ways: [string, string][] }> = {
  metric: { title: 'Number', text: 'One number and how it changed', ways: [['number', 'Number'], ['sparkline', 'Number with course'], ['delta', 'Number with change']] },
  chart: { title: 'Chart', text: 'Numbers over time', ways: [['line', 'Line'], ['area', 'Area'], ['bar', 'Bars'], ['stacked_bar', 'Stacked bars'], ['stacked_area', 'Stacked areas'], ['donut', 'Ring']] },
  table: { title: 'Table', text: 'Numbers by something', ways: [['table', 'Table'], ['list', 'Bars']] },
  map: { title: 'Places', text: 'Numbers by place', ways: [['map', 'Map'], ['bubble', 'Bubbles'], ['choropleth', 'Regions']] },
  funnel: { title: 'Funnel', text: 'How far people get', ways: [['funnel', 'Funnel'], ['steps', 'Steps'], ['bar', 'Bars'], ['table', 'Table']] },
}

export const SOURCES: [string, string][] = [
  ['user_events', 'Events'],
  ['trips', 'Trips'],
  ['bookings', 'Bookings'],
  ['reviews', 'Reviews'],
  ['revenue', 'Revenue'],
  ['performance', 'Performance'],
]

export const MEASURES: [string, string][] = [
  ['count', 'How many'],
  ['amount', 'Sum of money'],
  ['average', 'Average'],
  ['min', 'Least'],
  ['max', 'Most'],
  ['median', 'Median'],
  ['p95', '95th percentile'],
]

export const LASTS: [string, string][] = [
  ['1d', '1 day'],
  ['7d', '7 days'],
  ['30d', '30 days'],
  ['60d', '60 days'],
  ['90d', '90 days'],
  ['180d', '180 days'],
  ['365d', '365 days'],
]

/** What a widget's number is of, for its writing: money, or a plain number. */
export const isMoney = (widget: { dataSource: string; config: Record<string, unknown> }): boolean =>
  widget.config.measure === 'amount' || (widget.dataSource === 'revenue' && widget.config.measure === undefined && widget.config.metric === undefined)

/** Whether a widget's numbers are counts, which have no parts. */
export const isCount = (widget: { dataSource: string; config: Record<string, unknown> }): boolean =>
  widget.config.measure === 'count' || (widget.config.measure === undefined && widget.config.metric === undefined && !['revenue', 'reviews', 'performance'].includes(widget.dataSource))

/** How a widget's numbers are written. */
export const money = (widget: { dataSource: string; config: Record<string, unknown> }) => (v: string | number | null | undefined): string => {
  if (v === null || v === undefined) return '–'
  if (isMoney(widget)) return amount(v, names.catalogue?.baseCurrency ?? 'EUR')
  const n = Number(v)
  return Number.isInteger(n) ? count(n) : number(n)
}
