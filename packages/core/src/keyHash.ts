import { createHash } from "node:crypto"
import { hashWith } from "./hashedKey.ts"
import { resolveKey, type SessionKey } from "./SessionKey.ts"

/**
 * A key as logs, metrics and dashboards may show it: 16 hexadecimal digits, the same for the same key in every process.
 * It hides keys from who reads along, not from who can guess them: with few possible keys, each can be tried.
 */
export const keyHash = (key: SessionKey): string => hashWith({ createHash }, resolveKey(key).canonical)
