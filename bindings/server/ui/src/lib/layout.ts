/** Where widgets stand: twelve columns, rows without end, nothing on top of anything else, and no gaps above. */
export interface Box {
  x: number
  y: number
  w: number
  h: number
}

export const COLUMNS = 12
export const MOST_HEIGHT = 12

const LEAST: Record<string, { w: number; h: number }> = {
  metric: { w: 2, h: 2 },
  chart: { w: 3, h: 3 },
  table: { w: 3, h: 3 },
  map: { w: 3, h: 3 },
  funnel: { w: 4, h: 3 },
}
const USUAL: Record<string, { w: number; h: number }> = {
  metric: { w: 3, h: 2 },
  chart: { w: 6, h: 4 },
  table: { w: 6, h: 4 },
  map: { w: 6, h: 4 },
  funnel: { w: 6, h: 4 },
}

export const least = (type: string): { w: number; h: number } => LEAST[type] ?? { w: 2, h: 2 }

const clash = (a: Box, b: Box): boolean => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h

const whole = (value: unknown, low: number, high: number): number | null =>
  typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high ? value : null

/** The box that a widget's configuration names, if it does. */
export function boxOf(config: Record<string, unknown>): Box | null {
  const given = config.layout
  if (typeof given !== 'object' || given === null) return null
  const { x, y, w, h } = given as Record<string, unknown>
  const box = { x: whole(x, 0, COLUMNS - 1), y: whole(y, 0, 1000), w: whole(w, 1, COLUMNS), h: whole(h, 1, MOST_HEIGHT) }
  if (box.x === null || box.y === null || box.w === null || box.h === null || box.x + box.w > COLUMNS) return null
  return box as Box
}

/** The first free place for a box, row by row, in line with others of its width. */
export function free(size: { w: number; h: number }, taken: Box[]): Box {
  const step = COLUMNS % size.w === 0 ? size.w : 1
  for (let y = 0; ; y += 1) {
    for (let x = 0; x + size.w <= COLUMNS; x += step) {
      const box = { x, y, ...size }
      if (!taken.some((t) => clash(t, box))) return box
    }
  }
}

/** The boxes of widgets, those that name none placed behind the others. */
export function place(widgets: { type: string; config: Record<string, unknown> }[]): Box[] {
  const boxes: (Box | null)[] = widgets.map((w) => boxOf(w.config))
  const taken = boxes.filter((b): b is Box => b !== null)
  return settle(
    boxes.map((box, i) => {
      if (box) {
        // Nothing is so small that it cannot be read.
        const small = least(widgets[i]!.type)
        const w = Math.max(box.w, small.w)
        return { x: Math.min(box.x, COLUMNS - w), y: box.y, w, h: Math.max(box.h, small.h) }
      }
      const next = free(USUAL[widgets[i]!.type] ?? { w: 4, h: 3 }, taken)
      taken.push(next)
      return next
    }),
  )
}

/** Moves what is in the way of one box down, then everything up as far as it goes; the box at `held` keeps its column. */
export function settle(boxes: Box[], held = -1): Box[] {
  const order = boxes.map((_, i) => i).sort((a, b) => boxes[a]!.y - boxes[b]!.y || Number(b === held) - Number(a === held) || boxes[a]!.x - boxes[b]!.x)
  const out: Box[] = boxes.map((b) => ({ ...b }))
  const set: Box[] = []
  for (const i of order) {
    const box = out[i]!
    while (set.some((s) => clash(s, box))) box.y += 1
    while (box.y > 0 && !set.some((s) => clash(s, { ...box, y: box.y - 1 }))) box.y -= 1
    set.push(box)
  }
  return out
}

/** One box moved or resized within the grid, and the others out of its way. */
export function change(boxes: Box[], at: number, to: Partial<Box>, type: string): Box[] {
  const small = least(type)
  const now = boxes[at]!
  const w = Math.min(COLUMNS, Math.max(small.w, to.w ?? now.w))
  const h = Math.min(MOST_HEIGHT, Math.max(small.h, to.h ?? now.h))
  const x = Math.min(COLUMNS - w, Math.max(0, to.x ?? now.x))
  const y = Math.max(0, to.y ?? now.y)
  const next = boxes.map((b, i) => (i === at ? { x, y, w, h } : b))
  // Moved down past what stood below, the box changes places with it instead of falling back.
  if (y > now.y) {
    for (const [i, b] of next.entries()) {
      if (i !== at && b.y >= now.y && b.y + b.h <= y + h && b.x < x + w && x < b.x + b.w) next[i] = { ...b, y: Math.max(0, b.y - now.h) }
    }
  }
  return settle(next, at)
}
