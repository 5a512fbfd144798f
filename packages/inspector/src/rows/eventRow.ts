import type { SessionEvent } from "@sojourn/core"
import type { Names, Named } from "../names/Names.ts"
import type { EventRow } from "../protocol/events.ts"
import { bounds } from "../protocol/words.ts"
import { cleaned, errorText, withoutKey } from "../safety/text.ts"
import { nameOf } from "./taskRow.ts"

type Writable<T> = { -readonly [K in keyof T]: T[K] | undefined }

/** An event as it is sent: `n` is its number in the inspector. */
export const eventRow = (n: number, kind: string, event: SessionEvent, names: Names): Writable<EventRow> => {
  const row: Writable<EventRow> = { n, kind, seq: event.seq, at: event.at, what: event._tag }
  let named: Named | undefined
  if ("session" in event) {
    named = names.ofRef(kind, event.session)
    row.session = named.hash
    row.shown = named.shown
    row.generation = event.session.generation
    row.serial = event.session.serial
  } else if ("key" in event && event.key !== "") {
    named = names.ofKey(kind, event.key)
    row.session = named.hash
    row.shown = named.shown
  }
  const words = (text: string): string =>
    cleaned(named === undefined ? text : withoutKey(text, named), bounds.text)
  switch (event._tag) {
    case "Opened":
      row.durationMs = event.durationMs
      break
    case "OpenFailed":
      row.error = words(errorText(event.error))
      if (Number.isFinite(event.retryAt)) row.until = event.retryAt
      break
    case "Lost":
      row.by = event.by
      if (event.cause !== undefined) row.error = words(errorText(event.cause))
      break
    case "Quarantined":
      row.until = event.until
      break
    case "Closing":
      row.reason = event.reason
      break
    case "Closed":
      row.reason = event.reason
      row.durationMs = event.durationMs
      row.leaked = event.leaked
      break
    case "TaskQueued":
    case "TaskStarted":
    case "TaskEnded":
      row.task = {
        id: event.task.id,
        name: named === undefined ? cleaned(event.task.name, bounds.name) : nameOf(event.task.name, named),
        type: event.task.kind,
      }
      if (event._tag !== "TaskEnded") break
      row.outcome = event.outcome
      row.waitedMs = Math.max(0, event.waitedMs)
      row.ranMs = Math.max(0, event.ranMs)
      if (event.error !== undefined) row.error = words(errorText(event.error))
      break
    case "LeaseTaken":
    case "LeaseReleased":
    case "LeaseExpired":
      row.lease =
        named === undefined ? cleaned(event.lease.name, bounds.name) : nameOf(event.lease.name, named)
      break
    case "WarningRaised":
    case "WarningCleared":
      row.warning = event.warning
      row.evidence = finite(event.evidence)
      break
    case "Refused":
      row.reason = event.reason
      break
    case "EventsDropped":
      row.count = event.count
      break
    default:
  }
  return row
}

/** JSON has no word for infinity. */
export const finite = (evidence: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(evidence).filter(([, value]) => Number.isFinite(value)))
