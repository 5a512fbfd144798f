/**
 * Texts of others, made fit for the wire: bounded, well-formed, and without characters that steer a terminal or reorder a
 * line. Markup is left as it is: what shows it has to show it as text.
 */
import { bounds } from "../protocol/words.ts"

const steering = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
const breaks = /[\t\n\r]+/g
/** What most texts are. */
const plain = /^[ -~]*$/
const mark = "\uFFFD"

/** One line. Whatever it is given, it throws nothing. */
export const cleaned = (text: unknown, most: number): string => {
  if (typeof text !== "string") return ""
  if (text.length <= most && plain.test(text)) return text
  // Cut before anything looks at all of it.
  const cut = text.length > most
  const head = (cut ? text.slice(0, most - 1) : text).toWellFormed()
  const clean = head.replaceAll(breaks, " ").replaceAll(steering, mark)
  return cut ? `${clean}…` : clean
}

/** An error in words: its message, or what it is. */
export const errorText = (error: unknown): string => {
  try {
    if (typeof error === "string") return error
    if (
      typeof error === "object" &&
      error !== null &&
      "message" in error &&
      typeof error.message === "string"
    )
      return error.message
    return String(error)
  } catch {
    return "an error that cannot be shown"
  }
}

/** What must not be in a text: a session's key and its parts. */
export interface Secret {
  readonly key: string
  readonly id: string
  readonly owner: string | undefined
}

/** Characters of a text that are looked at for a key; more of it is never shown. */
const lookedAt = 4 * bounds.text
const hidden = "‹key›"

/**
 * Errors and notes are written by who knows the key. Where it stands in them it is taken out, as a whole or in its parts;
 * a short part only where it stands alone, as it would be in every other word.
 */
export const withoutKey = (text: string, { id, key, owner }: Secret): string => {
  let result = text.length > lookedAt ? text.slice(0, lookedAt) : text
  if (!(result.includes(key) || result.includes(id) || (owner !== undefined && result.includes(owner))))
    return result
  for (const part of parts(key, id, owner)) {
    if (!result.includes(part)) continue
    result = part.length >= 6 ? result.replaceAll(part, hidden) : replaceAlone(result, part)
  }
  return result
}
/** The longest first: one may hold the other. */
const parts = (key: string, id: string, owner: string | undefined): ReadonlyArray<string> =>
  [...new Set([key, id, ...(owner === undefined ? [] : [owner])])]
    .filter(Boolean)
    .toSorted((a, b) => b.length - a.length)

const wordy = /[\p{L}\p{N}_]/u
const replaceAlone = (text: string, part: string): string => {
  let result = ""
  let from = 0
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) {
    const before = text[at - 1]
    const after = text[at + part.length]
    const alone = (before === undefined || !wordy.test(before)) && (after === undefined || !wordy.test(after))
    if (!alone) continue
    result += text.slice(from, at) + hidden
    from = at + part.length
  }
  return result + text.slice(from)
}
