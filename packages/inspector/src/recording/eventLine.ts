/**
 * What is written down of an event. It is taken apart field by field, so that what is added to events one day is not written
 * down by accident: no key, no note, no value of a task.
 */
import type { SessionEvent, SessionRef } from "@sojourn/core"
import { cleaned, errorText, type Secret, withoutKey } from "../safety/text.ts"
import { type RecordedEvent, recordingBounds } from "./format.ts"
import type { Hashes } from "./hashes.ts"
import { isPlainName } from "./plainName.ts"

export const eventLine = (kind: string, event: SessionEvent, hashes: Hashes): RecordedEvent => {
  const head = { type: "event", at: event.at, kind, seq: event.seq, what: event._tag } as const
  switch (event._tag) {
    case "DrainStarted":
    case "DrainEnded":
      return head
    case "EventsDropped":
      return { ...head, count: event.count }
    case "Refused":
      return { ...head, session: hashes.session(event.key), reason: event.reason }
  }
  const session = { ...head, ...sessionOf(event.session, hashes) }
  switch (event._tag) {
    case "Opening":
    case "LeakEnded":
      return session
    case "Opened":
      return { ...session, durationMs: short(event.durationMs) }
    case "OpenFailed":
      return { ...session, error: errorIn(event.error, event.session), until: event.retryAt }
    case "Lost":
      return { ...session, error: errorIn(event.cause, event.session), by: event.by }
    case "Quarantined":
      return { ...session, until: event.until }
    case "Closing":
      return { ...session, reason: event.reason }
    case "Closed":
      return { ...session, reason: event.reason, durationMs: short(event.durationMs), leaked: event.leaked }
    case "TaskQueued":
    case "TaskStarted":
      return { ...session, task: taskOf(event.task) }
    case "TaskEnded":
      return {
        ...session,
        task: taskOf(event.task),
        outcome: event.outcome,
        waitedMs: short(event.waitedMs),
        ranMs: short(event.ranMs),
        error: event.error === undefined ? undefined : errorIn(event.error, event.session),
      }
    case "LeaseTaken":
    case "LeaseReleased":
    case "LeaseExpired":
      return { ...session, lease: cleaned(event.lease.name, recordingBounds.name) }
    case "WarningRaised":
    case "WarningCleared":
      return { ...session, warning: event.warning, evidence: numbersOf(event.evidence) }
  }
}

const sessionOf = (
  ref: SessionRef,
  hashes: Hashes,
): Pick<RecordedEvent, "session" | "owner" | "generation" | "serial"> => ({
  session: hashes.session(ref.key),
  owner: ref.owner === undefined ? undefined : hashes.owner(ref.owner),
  generation: ref.generation,
  serial: ref.serial,
})
const taskOf = (task: {
  readonly id: string
  readonly name: string
  readonly kind: string
}): RecordedEvent["task"] => ({
  id: task.id,
  name: cleaned(task.name, recordingBounds.name),
  type: task.kind,
})
const errorIn = (error: unknown, secret: Secret): string =>
  cleaned(withoutKey(errorText(error), secret), recordingBounds.text)
/** Microseconds are enough. */
const short = (ms: number): number => Math.round(ms * 1000) / 1000

/** Of somebody else's: only its numbers, and not too many. */
export const numbersOf = (record: Readonly<Record<string, unknown>>): Record<string, number> => {
  const numbers: Array<[string, number]> = []
  for (const [name, value] of Object.entries(record)) {
    if (numbers.length >= recordingBounds.evidence) break
    if (typeof value === "number" && Number.isFinite(value) && isPlainName(name)) numbers.push([name, value])
  }
  return Object.fromEntries(numbers)
}
