/** One line for each fact of a session's life; undefined for what is not one. */
import { inspect } from "node:util"
import type { SessionEvent } from "../observe/SessionEvent.ts"

export const lineOf = (event: SessionEvent): string | undefined => {
  switch (event._tag) {
    case "Opened":
      return `${who(event)} opened`
    case "OpenFailed":
      return `${who(event)} failed to open: ${messageOf(event.error)}`
    case "Lost":
      return `${who(event)} lost: ${messageOf(event.cause)}`
    case "Closed":
      return `${who(event)} closed: ${event.reason}${event.leaked ? ", leaked" : ""}`
    case "LeakEnded":
      return `${who(event)} ended after it leaked`
    case "Quarantined":
      return `${event.session.key} quarantined`
    default:
      return undefined
  }
}

const who = ({
  session,
}: {
  readonly session: { readonly key: string; readonly generation: number }
}): string => `${session.key}#${session.generation}`

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : typeof error === "string" ? error : inspect(error, { depth: 1 })
/** An error as part of a sentence. */
export const inWords = (error: unknown): string => messageOf(error).replace(/\.$/, "")
