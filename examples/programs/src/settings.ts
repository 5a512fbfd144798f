/** What the tests set differently. Every server listens on loopback only. */
import { tmpdir } from "node:os"
import { join } from "node:path"

const number = (name: string, usual: number): number => Number(process.env[name] ?? usual)

export const port = number("PORT", 3000)
/** Milliseconds. */
export const idleTimeout = number("IDLE_TIMEOUT", 30 * 60_000)
/** MCP servers alive at once for one client. */
export const maxPerOwner = number("MAX_PER_OWNER", 20)
/** Visits until a browser is replaced. */
export const maxTurns = number("MAX_TURNS", 200)
/** Milliseconds between two words of the model. */
export const wordDelay = number("WORD_DELAY", 40)
/** The folder of the databases. */
export const data = process.env["DATA"] ?? join(tmpdir(), "workspaces")
