import type { HistoryClock } from "../../src/history/Ticks.ts"

/** Time that the test moves. The two clocks can be moved apart, as when a machine sleeps or its clock is set. */
export class HandClock implements HistoryClock {
  now: number
  steady = 0
  #due: { readonly at: number; readonly run: () => void } | undefined
  constructor(now = 1_700_000_000_000) {
    this.now = now
  }
  readonly epoch = (): number => this.now
  readonly monotonic = (): number => this.steady
  readonly after = (ms: number, run: () => void): (() => void) => {
    const due = { at: this.steady + ms, run }
    this.#due = due
    return () => {
      if (this.#due === due) this.#due = undefined
    }
  }
  /** Whether somebody waits for time to pass. */
  get waiting(): boolean {
    return this.#due !== undefined
  }
  /** Time passes; nothing that is due runs. */
  pass(ms: number): void {
    this.now += ms
    this.steady += ms
  }
  /** Time passes up to what is due next and `late` milliseconds more; then that runs. */
  next(late = 0): void {
    const due = this.#due
    if (due === undefined) throw new Error("Nothing is due.")
    this.pass(Math.max(0, due.at - this.steady) + late)
    this.#due = undefined
    due.run()
  }
}
