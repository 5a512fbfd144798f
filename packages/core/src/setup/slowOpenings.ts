/** Does opening a session take longer than it may stay idle? One registry's count; decided when a generation becomes ready. */
import { foundInSetup } from "./findings.ts"
import { inSeconds } from "./inSeconds.ts"

/** Milliseconds: a shorter opening is not worth a word. */
const worthAWord = 100
/** The first opening may be slow for reasons of its own: a cold cache, a busy start. */
const toTell = 2

export class SlowOpenings {
  #seen = 0

  /** Milliseconds. `idleTimeout: 0` is a choice: close at once. */
  opened(name: string, openedAfter: number, idleTimeout: number): void {
    if (openedAfter <= idleTimeout || openedAfter < worthAWord || idleTimeout === 0) return
    this.#seen++
    if (this.#seen !== toTell) return
    foundInSetup(
      "SOJOURN_IDLE_BEFORE_OPEN",
      `Opening a session of ${JSON.stringify(name)} took ${inSeconds(openedAfter)}, and its idleTimeout is ${inSeconds(idleTimeout)}.`,
    )
  }
}
