import { ApiError, call, type Asking, type Meta } from './api'

/** Answers that were given a moment ago, so that the back button shows them at once; asked again all the same. */
const known = new Map<string, { data: unknown; meta: Meta; tag: string | null }>()
const KEPT = 60

export const forget = (): void => known.clear()

let round = $state(0)
/** Asks all that is shown once more. */
export const renew = (): void => void (round += 1)

/** A question that is asked anew whenever it changes. While the new answer is on its way, the last one stays, marked as old. */
export class Asked<T> {
  data = $state.raw<T | null>(null)
  meta = $state.raw<Meta | null>(null)
  tag = $state.raw<string | null>(null)
  error = $state.raw<ApiError | null>(null)
  busy = $state(false)
  slow = $state(false)
  /** When the data came. */
  at = $state(0)
  #again = $state(0)
  #abort: AbortController | null = null

  constructor(question: () => Asking<T> | null) {
    $effect(() => {
      const asking = question()
      void this.#again
      void round
      if (!asking) {
        this.#reset()
        return
      }
      const abort = new AbortController()
      this.#abort = abort
      void this.#run(asking, abort)
      return () => abort.abort()
    })
  }

  reload = (): void => {
    this.#again += 1
  }

  /** Gives the question up that is being answered. */
  cancel = (): void => {
    this.#abort?.abort()
    this.busy = this.slow = false
    this.error = new ApiError(0, 'cancelled', 'You stopped this question.')
  }

  #reset(): void {
    this.data = this.meta = this.error = null
    this.busy = this.slow = false
  }

  async #run(asking: Asking<T>, abort: AbortController): Promise<void> {
    const key = JSON.stringify(asking)
    const before = known.get(key)
    if (before) Object.assign(this, before)
    this.busy = true
    this.slow = false
    const patience = setTimeout(() => {
      if (!abort.signal.aborted) this.slow = true
    }, 2000)
    try {
      const { data, meta, tag } = await call({ ...asking, signal: abort.signal })
      if (abort.signal.aborted) return
      this.data = data
      this.meta = meta
      this.tag = tag
      this.error = null
      this.at = Date.now()
      known.delete(key)
      known.set(key, { data, meta, tag })
      if (known.size > KEPT) known.delete(known.keys().next().value!)
    } catch (error) {
      if (abort.signal.aborted) return
      this.error = error instanceof ApiError ? error : new ApiError(0, 'unexpected', String(error))
    } finally {
      clearTimeout(patience)
      if (!abort.signal.aborted) this.busy = this.slow = false
    }
  }
}

export const ask = <T>(question: () => Asking<T> | null): Asked<T> => new Asked<T>(question)
