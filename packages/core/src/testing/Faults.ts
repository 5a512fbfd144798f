/** What is to go wrong, when, and whether it did. */
import { invalidOption } from "../errors.ts"
import { resolveNames, wholeNumber } from "../options.ts"
import { resolveKey, type SessionKey } from "../SessionKey.ts"
import type { Options } from "../SessionOptions.ts"
import { placeHere } from "./place.ts"
import type { At } from "./Watch.ts"

/** `key`: only there; left out, anywhere. `times`: 1, or Infinity. `error`: what is thrown, for `fail` alone. */
export type Fault = Options<{
  readonly key: SessionKey
  readonly times: number
  readonly error: unknown
}>

interface Armed {
  readonly how: "fail" | "hang"
  readonly at: At
  /** Canonical. */
  readonly key: string | undefined
  readonly times: number
  readonly error: unknown
  readonly place: string
  fired: number
}

const moments: Readonly<Record<At, string>> = {
  open: "nothing was opened",
  task: "no task began",
  probe: "no probe was asked",
  close: "nothing was closed",
}

export class Faults {
  readonly #armed: Array<Armed> = []
  readonly #hung: Array<(error: Error) => void> = []

  arm(how: Armed["how"], at: At, fault: Fault | undefined): void {
    if (!Object.hasOwn(moments, at))
      throw invalidOption(`at: one of ${Object.keys(moments).join(", ")} is allowed, got ${at}.`)
    resolveNames(fault, how === "fail" ? ["key", "times", "error"] : ["key", "times"])
    const place = placeHere()
    this.#armed.push({
      how,
      at,
      key: fault?.key === undefined ? undefined : resolveKey(fault.key).canonical,
      times: wholeNumber("times", fault?.times, 1, 1),
      error:
        fault !== undefined && "error" in fault && fault.error !== undefined
          ? fault.error
          : new Error(`The test lets this ${at} fail (${place}).`),
      place,
      fired: 0,
    })
  }

  /** The moment has come: throws, or gives a promise that is not settled before the test is over. */
  readonly meet = (at: At, key: string): Promise<never> | undefined => {
    const fault = this.#armed.find(
      (armed) =>
        armed.at === at && armed.fired < armed.times && (armed.key === undefined || armed.key === key),
    )
    if (fault === undefined) return undefined
    fault.fired++
    if (fault.how === "fail") throw fault.error
    const { promise, reject } = Promise.withResolvers<never>()
    this.#hung.push(reject)
    return promise
  }

  /** What hangs ends now. */
  letGo(): void {
    for (const reject of this.#hung.splice(0)) reject(new Error("The test is over."))
  }

  /** In words. */
  get unfired(): ReadonlyArray<string> {
    return this.#armed
      .filter(({ fired, times }) => (times === Infinity ? fired === 0 : fired < times))
      .map(({ at, fired, how, key, place, times }) => {
        const where = key === undefined ? "" : ` of ${key}`
        const often = times === Infinity || times === 1 ? "never fired" : `fired ${fired} of ${times} times`
        return `${how}("${at}")${where}, given at ${place}, ${often}: ${moments[at]}${fired > 0 ? " more often" : " there"}. Take it out, or bring the moment about.`
      })
  }
}
