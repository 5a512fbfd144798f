/** Texts of others in spans: names and errors may hold anything, and be of any length. */
import { SessionMisuse, SessionOpenFailed, SessionRefused, TaskStopped } from "../errors.ts"
import { harmless } from "./brief.ts"
import type { EndReason } from "./Explanation.ts"

// Cut first: what is looked at must not be a megabyte. A pair cut in two would be no text.
export const bounded = (text: string): string => harmless(text.slice(0, 160)).toWellFormed()

/** What semantic conventions call an error that has no better name. */
const other = "_OTHER"

/** The kind of an error: its tag or its class, never its message. */
export const kindOf = (error: unknown): string => {
  try {
    if (typeof error !== "object" || error === null) return typeof error
    if ("_tag" in error && typeof error._tag === "string") return bounded(error._tag) || other
    const { constructor } = error
    const name: unknown = typeof constructor === "function" ? constructor.name : undefined
    return (typeof name === "string" && bounded(name)) || other
  } catch {
    return other
  }
}

/** Why we refused or stopped something; undefined: it is no error of ours. */
export const reasonOf = (error: unknown): EndReason | undefined =>
  error instanceof SessionRefused ||
  error instanceof SessionOpenFailed ||
  error instanceof SessionMisuse ||
  error instanceof TaskStopped
    ? error.reason
    : undefined
