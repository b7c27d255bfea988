/** The colours of charts, read from the same variables as everything else. */
export interface Look {
  ink: string
  soft: string
  line: string
  surface: string
  accent: string
  other: string
  colors: string[]
  font: string
  still: boolean
}

export function look(): Look {
  const style = getComputedStyle(document.documentElement)
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  return {
    ink: of('ink'),
    soft: of('ink-3'),
    line: of('line'),
    surface: of('surface'),
    accent: of('accent'),
    other: of('c-other'),
    colors: [1, 2, 3, 4, 5, 6, 7, 8].map((n) => of(`c-${n}`)),
    font: style.fontFamily,
    still: matchMedia('(prefers-reduced-motion: reduce)').matches,
  }
}

/** Axes, tooltip and grid that all charts share. */
export function frame(l: Look): Record<string, unknown> {
  return {
    animation: !l.still,
    animationDuration: 150,
    animationDurationUpdate: 150,
    textStyle: { fontFamily: l.font, color: l.soft, fontSize: 12 },
    color: l.colors,
    grid: { left: 8, right: 16, top: 16, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    tooltip: {
      trigger: 'axis',
      confine: true,
      backgroundColor: l.surface,
      borderColor: l.line,
      borderWidth: 1,
      padding: [6, 10],
      textStyle: { color: l.ink, fontSize: 12 },
      axisPointer: { type: 'line', lineStyle: { color: l.soft, width: 1, type: 'solid' } },
      extraCssText: 'box-shadow:none;border-radius:6px;font-variant-numeric:tabular-nums',
    },
  }
}

export const axis = (l: Look): { x: Record<string, unknown>; y: Record<string, unknown> } => ({
  x: {
    axisLine: { lineStyle: { color: l.line } },
    axisTick: { show: false },
    axisLabel: { color: l.soft, hideOverlap: true },
    splitLine: { show: false },
  },
  y: {
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: l.soft },
    splitLine: { lineStyle: { color: l.line } },
    splitNumber: 4,
  },
})

/** A text of others, shown in a tooltip: it is never markup. */
export const plain = (text: string): string =>
  text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
