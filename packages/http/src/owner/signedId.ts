/** A random id of ours that only we can have written: `id.issued.mac`, text a cookie takes as it is. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import { invalidOption } from "@sojourn/core/host"

export type Secrets = readonly [string, ...ReadonlyArray<string>]

export interface SignedId {
  /** 160 random bits, hexadecimal. */
  readonly id: string
  /** Epoch seconds. */
  readonly issued: number
  /** Signed with the newest secret. */
  readonly newest: boolean
}

const idBytes = 20
const shape = /^([0-9a-f]{40})\.([0-9a-z]{1,10})\.([\w-]{43})$/

export const newId = (): string => randomBytes(idBytes).toString("hex")

export const signedId = (secrets: Secrets, id: string, issued: number): string =>
  `${id}.${issued.toString(36)}.${sign(secrets[0], id, issued)}`

/** Undefined: not written by us, or with a secret that is forgotten. Each secret is tried, and compared in constant time. */
export const verifiedId = (secrets: Secrets, text: string): SignedId | undefined => {
  const [, id, time, mac] = shape.exec(text) ?? []
  if (id === undefined || time === undefined || mac === undefined) return undefined
  const issued = Number.parseInt(time, 36)
  // As we write it: zeros before a number do not change it.
  if (issued.toString(36) !== time) return undefined
  // The text is compared, not the bytes it stands for: base64url can write the same bytes in several ways.
  const given = Buffer.from(mac)
  const at = secrets.findIndex((secret) => timingSafeEqual(Buffer.from(sign(secret, id, issued)), given))
  return at === -1 ? undefined : { id, issued, newest: at === 0 }
}

/** The purpose is signed as well: whatever else is signed with this secret is no id of ours. */
const sign = (secret: string, id: string, issued: number): string =>
  createHmac("sha256", secret).update(`sojourn browser owner 2:${id}.${issued}`).digest("base64url")

/** @throws SessionMisuse `InvalidOption` */
export const checkedSecrets = (given: string | ReadonlyArray<string>): Secrets => {
  const [first, ...others] = Array.isArray(given) ? (given as ReadonlyArray<string>) : [given as string]
  if (
    first === undefined ||
    [first, ...others].some((secret) => typeof secret !== "string" || secret.length < 16)
  ) {
    throw invalidOption("secret: one text of at least 16 characters, or a list of such texts, is needed.")
  }
  return [first, ...others]
}
