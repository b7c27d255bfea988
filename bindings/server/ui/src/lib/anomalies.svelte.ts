import { word, call } from './api'
import type { Finding } from './answers'

/** How long the buckets are that go with a real-time window. */
const STEPS: Record<string, string> = { last_5_minutes: 'five_minutes', last_15_minutes: 'quarter_hour', last_hour: 'hour' }
const DAY = 86_400_000
const EVERY = 5 * 60_000

/** What is not as usual at the moment, by metric. Asked for one metric after the other, once the page has what it opened for. */
export class Anomalies {
  found = $state.raw<Record<string, Finding>>({})

  constructor(asked: () => { window: string; zone: string; metrics: string[] } | null) {
    $effect(() => {
      const now = asked()
      if (!now) return
      let gone = false
      const look = async (): Promise<void> => {
        const found: Record<string, Finding> = {}
        for (const metric of now.metrics) {
          if (gone) return
          const at = Date.now()
          const question = { metric, step: STEPS[now.window] ?? 'hour', startDate: new Date(at - DAY).toISOString(), endDate: new Date(at).toISOString(), timezone: now.zone }
          try {
            const { data } = await call(word('anomalies', question))
            const lasting = data.findings.filter((f) => f.until === null).at(-1)
            if (lasting) found[metric] = lasting
          } catch {
            // A metric that cannot be judged has no mark; its number stands all the same.
          }
        }
        if (!gone) this.found = found
      }
      const first = setTimeout(() => void look(), 600)
      const again = setInterval(() => {
        if (!document.hidden) void look()
      }, EVERY)
      return () => {
        gone = true
        clearTimeout(first)
        clearInterval(again)
      }
    })
  }
}
