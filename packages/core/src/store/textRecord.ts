/**
 * One saved state as a JSON text: `{ "sojourn": 1, "key": …, "version": …, "state": … }`. The first is the number of the
 * format, and the same in every format.
 */
import type { Stored } from "./SessionStore.ts"
import { type Json, stateOf } from "./stateText.ts"

const format = 1

export const writeRecord = (key: string, version: string, state: Json): string =>
  JSON.stringify({ sojourn: format, key, version, state })

/** The version of a text that cannot be read is the hash of the text. */
export const versionOf = async (key: string, text: string): Promise<string> => {
  const record = parse(key, text)
  return typeof record === "string" ? sha256(text) : record.version
}

export const readRecord = async (key: string, text: string): Promise<Stored> => {
  const record = parse(key, text)
  if (typeof record === "string") return { state: undefined, version: await sha256(text), unreadable: record }
  const { version } = record
  try {
    return { state: stateOf(record.state), version }
  } catch {
    return { state: undefined, version, unreadable: "Corrupt" }
  }
}

const parse = (
  key: string,
  text: string,
): { readonly version: string; readonly state: unknown } | "Corrupt" | "Newer" => {
  let record: unknown
  try {
    record = JSON.parse(text)
  } catch {
    return "Corrupt"
  }
  if (typeof record !== "object" || record === null) return "Corrupt"
  const at = (name: string): unknown => (Object.hasOwn(record, name) ? Reflect.get(record, name) : undefined)
  const written = at("sojourn")
  if (typeof written === "number" && written > format) return "Newer"
  const version = at("version")
  if (written !== format || at("key") !== key || typeof version !== "string") return "Corrupt"
  return { version, state: at("state") }
}

/** Of UTF-16: UTF-8 would merge all lone surrogates into one character. */
export const sha256 = async (text: string): Promise<string> => {
  const units = Uint16Array.from({ length: text.length }, (_, index) => text.charCodeAt(index))
  const sum = await crypto.subtle.digest("SHA-256", units)
  return Array.from(new Uint8Array(sum), (byte) => byte.toString(16).padStart(2, "0")).join("")
}
