/** A real process for the test beside it: `node writerProgram.ts <directory> <name> <calls>`. Says each call before it is made, and its answer. */
import { writeSync } from "node:fs"
import { fileStore } from "../../src/node.ts"
import { type Step, Writer } from "./Writer.ts"

const [directory = "", name = "", calls = "0"] = process.argv.slice(2)
/** Microseconds on a clock that all processes of a machine share. */
const now = (): number => Number(process.hrtime.bigint() / 1000n)
// Not through a stream: what was said is out, also when the process is killed in the next moment.
const say = (line: unknown): void => void writeSync(1, `${JSON.stringify(line)}\n`)

const writer = new Writer(fileStore({ directory }), "key", name, now)
for (let call = 0; call < Number(calls); call++) {
  const chance = Math.random()
  const what: Step = chance < 0.4 ? "load" : chance < 0.9 ? "save" : chance < 0.95 ? "remove" : "setAside"
  say(await writer.step(what, (begun) => say(begun)))
}
