/** A clean end for a process that holds sessions: Ctrl-C, `docker stop`, a rolling deploy. */
import type { Server } from "node:http"
import { constants } from "node:os"
import { setTimeout as sleep } from "node:timers/promises"
import { invalidOption } from "../errors.ts"
import type { DrainReport } from "../observe/Snapshot.ts"
import { checkedFunction, milliseconds, resolveNames } from "../options.ts"
import { beginProcessDrain, liveRegistries } from "../registry/process.ts"
import type { Options, Time } from "../SessionOptions.ts"
import type { AnySessions } from "../Sessions.ts"
import { checkOneEffect } from "../setup/oneEffect.ts"
import { checkDrainTime } from "./checkDrainTime.ts"
import { stopAccepting } from "./stopAccepting.ts"

export type DrainOnSignals = Options<{
  /** Stops accepting at the first signal; what is still connected after the drain is closed. */
  readonly server: Server
  /** How long running turns may still go on, from the first signal. 10 seconds; 0. */
  readonly finishWithin: Time
  /** ["SIGTERM", "SIGINT"]; at least one. */
  readonly signals: ReadonlyArray<NodeJS.Signals>
  /** Instead of every registry of the process, found when the signal comes. */
  readonly sessions: ReadonlyArray<AnySessions>
  /** To write a last line, flush a log: awaited before the exit, for 5 seconds at most. A report per registry that drained. */
  readonly onDrained: (reports: ReadonlyArray<DrainReport>) => unknown
}>

/** Milliseconds. `npm`, `pnpm` and others pass on the Ctrl-C that the terminal has sent to us as well: that is one signal. */
const echo = 100
/** Milliseconds: the last chance of `onDrained`. */
const patience = 5000

/**
 * First SIGTERM or SIGINT: the server answers what is on its way (200 ms), then stops accepting; all registries of the process
 * drain in parallel, then the connections that are left are closed, and the process exits: 0, or 1 if work was cut,
 * something leaked, or the drain failed (one line on stderr says which). Second signal: what runs is stopped now. Third:
 * exits 1 on the spot. A signal within 100 ms of the one before is the same key press. Nothing of this can happen while
 * synchronous code keeps the event loop busy.
 *
 * Once per process. Disposing removes the handlers; a drain that has begun goes on. A drain that may take longer than
 * the platform waits is told at once, as a warning: `SOJOURN_DRAIN_TOO_LONG`.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const drainOnSignals = (options: DrainOnSignals = {}): Disposable => {
  resolveNames(options, ["server", "finishWithin", "signals", "sessions", "onDrained"])
  const finishWithin = milliseconds("finishWithin", options.finishWithin, 10_000)
  if (options.onDrained !== undefined) checkedFunction("onDrained", options.onDrained)
  const signals = checkedSignals(options.signals ?? ["SIGTERM", "SIGINT"])

  let count = 0
  let last = 0
  let draining: ReadonlyArray<AnySessions> = []
  const onSignal = (): void => {
    const now = performance.now()
    const again = count > 0 && now - last < echo
    last = now
    if (again) return
    count++
    if (count === 1) {
      beginProcessDrain()
      draining = options.sessions ?? liveRegistries()
      void drainAndExit(draining, finishWithin, options)
    } else if (count === 2) {
      // It joins the drain under way, which tells what goes wrong.
      void drainAll(draining, 0)
    } else {
      say("stopped at the third signal, before the drain had ended")
      process.exit(1)
    }
  }
  for (const signal of signals) process.on(signal, onSignal)
  checkOneEffect()
  const endCheck = checkDrainTime(finishWithin, options.sessions)
  return {
    [Symbol.dispose]: () => {
      endCheck()
      for (const signal of signals) process.off(signal, onSignal)
    },
  }
}

const drainAndExit = async (
  registries: ReadonlyArray<AnySessions>,
  finishWithin: number,
  { server, onDrained }: DrainOnSignals,
): Promise<void> => {
  // Timers of ours hold no process: without a server this one does, until the drain has ended.
  const hold = setInterval(() => {}, 60_000)
  const endConnections = server === undefined ? undefined : stopAccepting(server)
  const results = await drainAll(registries, finishWithin)
  await endConnections?.()

  let failed = false
  const reports: Array<DrainReport> = []
  for (const [index, result] of results.entries()) {
    if (result.status === "fulfilled") reports.push(result.value)
    else {
      failed = true
      say(`${JSON.stringify(registries[index]?.name)} could not be drained: ${messageOf(result.reason)}`)
    }
  }
  const cut = reports.reduce((sum, report) => sum + report.cut.length, 0)
  const leaked = reports.reduce((sum, report) => sum + report.leaked.length, 0)
  if (cut + leaked > 0) say(`drained; tasks cut: ${cut}, sessions leaked: ${leaked}`)
  try {
    await Promise.race([
      onDrained?.(reports),
      sleep(patience).then(() => Promise.reject(new Error("it took too long"))),
    ])
  } catch (error) {
    failed = true
    say(`onDrained failed: ${messageOf(error)}`)
  }
  clearInterval(hold)
  process.exit(failed || cut + leaked > 0 ? 1 : 0)
}

const drainAll = (
  registries: ReadonlyArray<AnySessions>,
  finishWithin: number,
): Promise<ReadonlyArray<PromiseSettledResult<DrainReport>>> =>
  // `async` turns a registry that throws at once into one that rejects: the others still drain.
  Promise.allSettled(registries.map(async (sessions) => sessions.drain({ finishWithin })))

/** One line: what a registry throws is not ours to print in full, and keys are never part of our own messages. */
const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : typeof error === "string" ? error : "an unknown error").split(
    "\n",
    1,
  )[0] ?? ""
const say = (line: string): void => console.error(`sojourn: ${line}`)

const checkedSignals = (given: ReadonlyArray<NodeJS.Signals>): ReadonlyArray<NodeJS.Signals> => {
  if (!Array.isArray(given) || given.length === 0)
    throw wrongSignals(Array.isArray(given) ? "an empty one" : typeof given)
  for (const signal of given) {
    const known = typeof signal === "string" && Object.hasOwn(constants.signals, signal)
    if (!known || signal === "SIGKILL" || signal === "SIGSTOP")
      throw wrongSignals(JSON.stringify(signal) ?? typeof signal)
  }
  return [...new Set(given)]
}
const wrongSignals = (got: string): Error =>
  invalidOption(`signals: a list of at least one signal that a process can handle is allowed, got ${got}.`)
