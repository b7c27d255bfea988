/** A table as data: what "view as table" shows and "copy as CSV" copies. */
export interface Column {
  key: string
  title: string
  /** Numbers stand to the right. */
  numeric?: boolean
  /** How a value is shown; exported values stay exact. */
  show?: (value: unknown) => string
}

export interface Grid {
  columns: Column[]
  rows: Record<string, unknown>[]
}

export function shown(column: Column, value: unknown): string {
  if (column.show) return column.show(value)
  if (value === null || value === undefined) return '–'
  return String(value)
}

/** RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe. */
export function csv(grid: Grid): string {
  const field = (value: unknown): string => {
    if (value === null || value === undefined) return ''
    let text = String(value)
    if (typeof value === 'string' && /^[=+\-@\t\r]/.test(text)) text = `'${text}`
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  const lines = [grid.columns.map((c) => field(c.title)), ...grid.rows.map((row) => grid.columns.map((c) => field(row[c.key])))]
  return `${lines.map((line) => line.join(',')).join('\r\n')}\r\n`
}
