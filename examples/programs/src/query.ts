/** One warm database per key, in process: the first query builds it, later ones find it ready. */
import { PGlite } from "@electric-sql/pglite"
import { createSessions } from "@sojourn/core"

const notebooks = createSessions({ name: "notebook", open: ({ use }) => use(PGlite.create()) })
const { rows } = await notebooks.run("alice", (db) => db.query<{ n: number }>("select 1 as n"))
console.log(rows, String(notebooks.explain("alice")))
await notebooks.drain()
