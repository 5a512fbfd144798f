/**
 * One saved state as the bytes of a file:
 *
 *     "SOJOURN\0"  format, u32 | sha-256 of the rest, 32 bytes | length of the key, u32 | key, UTF-16 | state, V8's format
 *
 * The first two parts are the same in every format. All numbers are big-endian.
 */
import { createHash } from "node:crypto"
import { deserialize, serialize } from "node:v8"
import type { Stored } from "../../store/SessionStore.ts"

const magic = Buffer.from("SOJOURN\0", "latin1")
const format = 1
const formatAt = magic.length
const sumAt = formatAt + 4
const lengthAt = sumAt + 32
const keyAt = lengthAt + 4

const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest()
/** UTF-8 would merge all lone surrogates into one character. */
const bytesOf = (key: string): Buffer => Buffer.from(key, "utf16le")

/** What stands for a key in the names of files: of one length, with nothing a file system could take for something else. */
export const nameOfKey = (key: string): string => sha256(bytesOf(key)).toString("hex")

/** @throws Error for what cannot be cloned */
export const encodeState = (key: string, state: unknown): Buffer => {
  const name = bytesOf(key)
  const content = serialize(state)
  const file = Buffer.alloc(keyAt + name.length + content.length)
  magic.copy(file)
  file.writeUInt32BE(format, formatAt)
  file.writeUInt32BE(name.length, lengthAt)
  name.copy(file, keyAt)
  content.copy(file, keyAt + name.length)
  sha256(file.subarray(lengthAt)).copy(file, sumAt)
  return file
}

/** The state is not looked at before the checksum has shown that it is what was written for this very key. */
export const decodeState = (key: string, file: Buffer): Omit<Stored, "version"> => {
  if (file.length < sumAt || !file.subarray(0, formatAt).equals(magic)) return corrupt
  const written = file.readUInt32BE(formatAt)
  if (written !== format) return written > format ? newer : corrupt
  if (file.length < keyAt || !sha256(file.subarray(lengthAt)).equals(file.subarray(sumAt, lengthAt)))
    return corrupt
  const contentAt = keyAt + file.readUInt32BE(lengthAt)
  if (!file.subarray(keyAt, contentAt).equals(bytesOf(key))) return corrupt
  const content = file.subarray(contentAt)
  try {
    return { state: deserialize(content) }
  } catch {
    // The bytes are whole: they are in a version of V8's format that this Node does not know.
    return newer
  }
}

const corrupt = { state: undefined, unreadable: "Corrupt" } as const
const newer = { state: undefined, unreadable: "Newer" } as const
