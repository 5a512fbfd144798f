/** What the tests set differently. Both servers listen on loopback only. */
import { mkdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const number = (name: string, usual: number): number => Number(process.env[name] ?? usual)

export const port = number("PORT", 3000)
/** Milliseconds without use until a database is closed. */
export const idleTimeout = number("IDLE_TIMEOUT", 15 * 60_000)
/** Milliseconds for one query. */
export const queryTimeout = number("QUERY_TIMEOUT", 30_000)
/** Databases open at once. */
export const maxOpen = number("MAX_OPEN", 100)

const folder = process.env["DATA"] ?? join(tmpdir(), "from-a-map")
mkdirSync(folder, { recursive: true })
/** The database of a user. `name` must be safe as a file name. */
export const fileOf = (name: string): string => join(folder, `${name}.sqlite`)
