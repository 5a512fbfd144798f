/** A canonical key as logs, metrics, spans and dashboards may show it. */
import type { createHash } from "node:crypto"

interface Crypto {
  readonly createHash: typeof createHash
}

export const hashWith = ({ createHash }: Crypto, canonical: string): string =>
  createHash("sha256").update(`sojourn key:${canonical}`).digest("hex").slice(0, 16)

const crypto: Crypto | undefined =
  typeof process === "object" && typeof process.getBuiltinModule === "function"
    ? process.getBuiltinModule("node:crypto")
    : undefined

/** Undefined where there is no `node:crypto`. */
export const hashedKey = (canonical: string): string | undefined =>
  crypto === undefined ? undefined : hashWith(crypto, canonical)
