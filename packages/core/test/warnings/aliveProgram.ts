/** A real program for a test: it watches, has a session, and has nothing else to do. Says how long it lived. */
import { createSessions } from "../../src/index.ts"
import { watchWarnings } from "../../src/warnings.ts"

const began = performance.now()
process.on("exit", () => console.log(JSON.stringify({ lived: performance.now() - began })))
const sessions = createSessions({ name: "alive", open: () => ({}) })
const warnings = watchWarnings()
await sessions.run("a", () => 1)
if (warnings.active().length > 0) throw new Error("nothing can be wrong yet")
