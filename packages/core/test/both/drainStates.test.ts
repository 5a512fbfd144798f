import { describe, expect, test } from "vitest"
import type { SessionOptions } from "../../src/SessionOptions.ts"
import type { Opening } from "../../src/Sessions.ts"
import type { Thing, World } from "../support/ledger.ts"
import { faces } from "../support/faces.ts"
import { gate } from "../support/ledger.ts"
import { settle } from "../support/VirtualClock.ts"
import { expectReleasedOnce, watch, type Watched } from "../support/watch.ts"

const serialOf = (thing: { readonly serial: number }): number => thing.serial
const stopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true }),
  )

interface Case {
  readonly state: string
  readonly policy?: Omit<SessionOptions<Thing>, "name" | "open">
  readonly opening?: (opening: Opening) => unknown
  /** Brings the key `a` into that state; what is handed in there and must be told. */
  readonly reach: (world: World<Thing>) => Promise<ReadonlyArray<Watched>>
  readonly told: ReadonlyArray<string>
  /** How its generations ended, if it had any. */
  readonly reasons: ReadonlyArray<string>
}

const lost = async ({ sessions }: World<Thing>): Promise<void> => {
  await sessions.run("a", (_, task) => task.broken("dead"))
  await settle()
}

const cases: ReadonlyArray<Case> = [
  {
    state: "Opening",
    opening: ({ signal }) => stopped(signal),
    reach: async ({ clock, sessions }) => [
      watch(clock, sessions.run("a", serialOf)),
      watch(clock, sessions.lease("a")),
    ],
    told: ["SessionRefused Draining", "SessionRefused Draining"],
    reasons: ["Drained"],
  },
  {
    state: "Restarting",
    opening: ({ generation, onClose }) => {
      if (generation === 1) onClose(() => gate().promise)
    },
    reach: async ({ clock, sessions }) => {
      await sessions.run("a", serialOf)
      void sessions.restart("a")
      return [watch(clock, sessions.run("a", serialOf))]
    },
    told: ["SessionRefused Draining"],
    reasons: ["Restarted"],
  },
  {
    state: "Closing",
    opening: ({ onClose }) => onClose(() => gate().promise),
    reach: async ({ clock, sessions }) => {
      await sessions.run("a", serialOf)
      void sessions.close("a")
      return [watch(clock, sessions.run("a", serialOf))]
    },
    told: ["SessionRefused Draining"],
    reasons: ["Requested"],
  },
  {
    state: "Backoff",
    policy: { restart: { delay: 3000 } },
    reach: async (world) => {
      await lost(world)
      await lost(world)
      return [watch(world.clock, world.sessions.run("a", serialOf))]
    },
    told: ["SessionRefused Draining"],
    reasons: ["Broken", "Broken"],
  },
  {
    state: "Waiting",
    policy: { maxSessions: 1 },
    reach: async ({ clock, sessions }) => {
      const busy = watch(
        clock,
        sessions.run("b", (_, { signal }) => stopped(signal)),
      )
      await settle()
      return [watch(clock, sessions.run("a", serialOf)), busy]
    },
    told: ["SessionRefused Draining", "TaskStopped Drained"],
    reasons: ["Drained"],
  },
  {
    state: "Quarantined",
    policy: { restart: { times: 0 } },
    reach: async (world) => {
      await lost(world)
      return [watch(world.clock, world.sessions.run("a", serialOf))]
    },
    told: ["SessionRefused Quarantined"],
    reasons: ["RestartLimit"],
  },
  {
    state: "Ready",
    reach: async ({ sessions }) => {
      await sessions.run("a", serialOf)
      return []
    },
    told: [],
    reasons: ["Drained"],
  },
  {
    state: "Ready",
    reach: async ({ clock, sessions }) => [
      watch(
        clock,
        sessions.run("a", (_, { signal }) => stopped(signal)),
      ),
      watch(clock, sessions.run("a", serialOf)),
      watch(clock, (await sessions.lease("a")).run(serialOf)),
    ],
    told: ["TaskStopped Drained", "SessionRefused Draining", "SessionRefused Draining"],
    reasons: ["Drained"],
  },
]

describe.each(faces)("$face", ({ world }) => {
  describe.each(cases)("$state, then $told", ({ opening, policy, reach, reasons, state, told }) => {
    test.each([
      ["a drain with time", 1000, false],
      ["a drain now", 0, false],
      ["a second drain now", 1000, true],
    ])(
      "L14: %s tells everyone, opens nothing, releases everything, ends in time",
      async (_, finishWithin, again) => {
        const own = world({ ...policy, timeouts: { grace: 500, close: 2000, ...policy?.timeouts } }, opening)
        const { clock, events, ledger, sessions } = own
        const handedIn = await reach(own)
        await settle()
        expect(sessions.explain("a").state).toBe(state)
        const opened = ledger.opened
        const draining = watch(clock, sessions.drain({ finishWithin }))
        await clock.advance(0)
        const began = clock.now
        if (again) void sessions.drain({ finishWithin: 0 })
        await clock.advance(20_000)
        expect(handedIn.map((one) => one.outcome)).toEqual(told)
        expect(draining.outcome).toBe("value [object Object]")
        expect(draining.at - began).toBeLessThanOrEqual((again ? 0 : finishWithin) + 5000 + 2000)
        expect(ledger.opened).toBe(opened)
        expectReleasedOnce(ledger)
        const ends = events.flatMap((event) => (event._tag === "Closed" ? [event.reason] : []))
        expect(ends).toEqual(reasons)
        expect(sessions.snapshot()).toMatchObject({ phase: "drained", sessions: [] })
      },
    )
  })
})
