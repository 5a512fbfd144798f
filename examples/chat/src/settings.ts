/** What can be set from outside. The server listens on loopback only. */
import { randomBytes } from "node:crypto"

const number = (name: string, usual: number): number => Number(process.env[name] ?? usual)

export const port = number("PORT", 3000)
/** Milliseconds without use until a conversation is put away; it comes back when it is asked for. */
export const idleTimeout = number("IDLE_TIMEOUT", 30 * 60_000)
/** Milliseconds between two words of the stand-in model. */
export const wordDelay = number("WORD_DELAY", 60)
/** A folder for conversations that outlive the process; without one they are kept in memory. */
export const data = process.env["DATA"]
/** Signs the visitors' cookies. Without one, nobody is known any more after a restart. */
export const secret = process.env["COOKIE_SECRET"] ?? randomBytes(32).toString("hex")
