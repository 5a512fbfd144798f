/**
 * A small real program for the tests beside it: `node program.ts <scenario> <JSON>`. At its end it says, as one line of
 * JSON, what the setup checks have found and which warnings Node raised.
 */
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises"
import { foundInSetup, isSetupCheckOn, setupFindings } from "../../src/host.ts"
import { createSessions, type AnySessions } from "../../src/index.ts"
import { drainOnSignals } from "../../src/node.ts"
import type { Time } from "../../src/SessionOptions.ts"
import { faces } from "../support/faces.ts"
import { VirtualClock } from "../support/VirtualClock.ts"

const [scenario = "", given = "{}"] = process.argv.slice(2)
const input = JSON.parse(given) as {
  readonly face?: string
  readonly cases?: ReadonlyArray<readonly [idleTimeout: Time, openings: ReadonlyArray<number>]>
  readonly finishWithin?: Time
  readonly timeouts?: { readonly grace: Time; readonly close: Time }
  readonly when?: "before" | "after" | "disposed" | "given" | "others"
}

const warnings: Array<object> = []
process.on("warning", ({ name, message, ...rest }) => {
  const { code, detail } = rest as { readonly code?: string; readonly detail?: string }
  warnings.push({ name, code, message, detail })
})

const make = (name: string): AnySessions =>
  createSessions({ name, open: () => 1, timeouts: input.timeouts ?? {} })

const scenarios: Record<string, () => unknown> = {
  /** The same check finds something again and again, and another one too. */
  found: () => {
    const before = [isSetupCheckOn("SOJOURN_TRUST_PROXY"), isSetupCheckOn("SOJOURN_REJECTIONS")]
    for (let time = 1; time <= 3; time++) foundInSetup("SOJOURN_TRUST_PROXY", `Seen ${time} times.`)
    foundInSetup("SOJOURN_REJECTIONS", "Seen as well.")
    return [...before, isSetupCheckOn("SOJOURN_TRUST_PROXY"), isSetupCheckOn("SOJOURN_REJECTIONS")]
  },
  /** One opening after the other, each of another key, in virtual time; a registry for each case. */
  openings: async () => {
    const { world } = faces.find(({ face }) => face === input.face) ?? never()
    const told: Array<number> = []
    for (const [idleTimeout, openings] of input.cases ?? []) {
      const clock = new VirtualClock()
      let lasts = 0
      const { sessions } = world({ idleTimeout }, () => clock.after(lasts), clock)
      for (const [index, ms] of openings.entries()) {
        lasts = ms
        const used = sessions.run(`secret ${index}`, ({ serial }) => serial)
        await clock.advance(ms)
        await used
        told.push(setupFindings().length)
        await clock.advance(10_000)
      }
    }
    return told
  },
  /** The same in real time. */
  realOpenings: async () => {
    const sessions = createSessions({
      name: "slow",
      open: () => sleep(150),
      idleTimeout: 20,
    })
    for (const key of ["a", "b"]) await sessions.run(key, () => 1)
    await sessions.drain()
  },
  drain: () => {
    const { finishWithin, when = "before" } = input
    if (when === "before" || when === "given") make("notebook")
    if (when === "others") make("others")
    const sessions = when === "given" || when === "others" ? [make("given"), elsewhere()] : undefined
    const handlers = drainOnSignals({ finishWithin, sessions })
    if (when === "disposed") handlers[Symbol.dispose]()
    const before = setupFindings().length
    if (when === "after" || when === "disposed") make("notebook")
    return before
  },
}

/** What another placement than ours offers: nobody knows its times. */
const elsewhere = (): AnySessions => ({ ...make("elsewhere"), name: "elsewhere" })
const never = (): never => {
  throw new Error("there is no such face")
}

const result = await scenarios[scenario]?.()
await turn()
console.log(JSON.stringify({ result, findings: setupFindings(), warnings }))
