/** How much of a frame goes to work that could as well wait for the next one. */
const BUDGET = 6

const waiting = new Set<() => void>()
let frame = 0

function turn(): void {
  frame = 0
  const end = performance.now() + BUDGET
  for (const run of waiting) {
    waiting.delete(run)
    run()
    if (performance.now() >= end) break
  }
  if (waiting.size) frame = requestAnimationFrame(turn)
}

/** Does something in one of the next frames, each in its turn, so that twenty charts that change together hold no frame up. Once, however often it is asked for before. */
export function inTurn(run: () => void): void {
  waiting.add(run)
  frame ||= requestAnimationFrame(turn)
}

export const notAnyMore = (run: () => void): void => void waiting.delete(run)
