/** Names of events as answers and questions write them: null is any event, a list is any of them. */
export function eventName(event: unknown): string {
  if (event === null || event === undefined) return 'any event'
  if (Array.isArray(event)) return event.map(eventName).join(' or ')
  if (typeof event === 'object') {
    const { event: name, where } = event as { event?: unknown; where?: { property: unknown; op?: string; value?: unknown }[] }
    const filters = (where ?? []).map((f) => `${propertyName(f.property)} ${OPS[f.op ?? 'is'] ?? f.op} ${list(f.value)}`.trim())
    return filters.length ? `${eventName(name)} where ${filters.join(' and ')}` : eventName(name)
  }
  return String(event)
}

const list = (value: unknown): string => (Array.isArray(value) ? value.map(String).join(' or ') : value === undefined ? '' : String(value))

export function propertyName(property: unknown): string {
  if (typeof property === 'string') return property === '$session' ? 'session' : property
  if (property && typeof property === 'object') {
    if ('user' in property) return `user's ${String(property.user)}`
    if ('cohort' in property) return `cohort ${String(property.cohort)}`
  }
  return String(property)
}

export const OPS: Record<string, string> = {
  is: 'is',
  is_not: 'is not',
  contains: 'contains',
  not_contains: 'does not contain',
  exists: 'is set',
  not_exists: 'is not set',
  lt: '<',
  lte: '≤',
  gt: '>',
  gte: '≥',
}

const RESERVED: Record<string, string> = { start: 'Start', end: 'End', truncated: 'Goes on', other: 'Other' }

/** What a node is called; an event that is called as one of ours stands in quotes. */
export function nodeName(node: unknown): string {
  if (node && typeof node === 'object' && 'reserved' in node) return RESERVED[String(node.reserved)] ?? String(node.reserved)
  const name = String(node)
  return Object.values(RESERVED).includes(name) ? `“${name}”` : name
}

/** What a group of a widget is called. */
export const groupName = (group: string | null): string => (group === null ? '(not set)' : group === '' ? '(empty)' : group)

/** What a text in a filter's box means: a number where it reads as one, a truth value, else text. */
export function literal(text: string): string | number | boolean {
  if (text === 'true') return true
  if (text === 'false') return false
  if (/^-?(0|[1-9]\d*)(\.\d+)?$/.test(text) && Number.isSafeInteger(Math.trunc(Number(text)))) return Number(text)
  return text
}
