/** The events that a question looks at, as a statement for the store's own file (DuckDB), for those who want to count for themselves. */

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** The names that a question speaks of; none where it is of any event. */
function named(question: Record<string, unknown>): string[] {
  const found = new Set<string>()
  let any = false
  const look = (value: unknown): void => {
    if (value === null || value === undefined) any = true
    else if (typeof value === 'string') found.add(value)
    else if (Array.isArray(value)) value.forEach(look)
    else if (typeof value === 'object') look((value as { event?: unknown }).event)
  }
  const fields = ['steps', 'event', 'start', 'return', 'include', 'features'].filter((name) => name in question)
  for (const name of fields) {
    const value = question[name]
    if (Array.isArray(value)) value.forEach(look)
    else look(value)
  }
  return any || fields.length === 0 ? [] : [...found].sort()
}

/** An instant as the store writes it: UTC without a zone. A civil date begins at midnight in the question's zone, where a moment without a zone lies too. */
function instant(text: string, zone: string, plus: number): string {
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text)
  if (date || /^\d{4}-\d{2}-\d{2}T[\d:.]+$/.test(text)) {
    const local = `timestamp ${quoted(text.replace('T', ' '))}${date && plus ? ` + interval ${plus} day` : ''}`
    return zone === 'UTC' ? local : `(${local}) at time zone ${quoted(zone)} at time zone 'UTC'`
  }
  return `timestamp ${quoted(new Date(text).toISOString().replace('T', ' ').replace('Z', ''))}`
}

export function sql(question: unknown): string | null {
  const asked = question as Record<string, unknown>
  const { startDate, endDate, timezone } = asked
  if (typeof startDate !== 'string' || typeof endDate !== 'string') return null
  const zone = typeof timezone === 'string' ? timezone : 'UTC'
  const names = named(asked)
  return [
    'select u.id as user_id, n.name as event, e.ts, e.session_id, e.properties',
    'from events e',
    'join names n using (name_key)',
    'left join users u using (user_key)',
    `where e.ts >= ${instant(startDate, zone, 0)}`,
    `    and e.ts < ${instant(endDate, zone, 1)}`,
    ...(names.length ? [`    and n.name in (${names.map(quoted).join(', ')})`] : []),
    'order by user_id, e.ts',
  ].join('\n')
}
