/**
 * Measures what recording costs an event, what is kept, and how fast a recording is written and read. Run it alone:
 * `node packages/inspector/test/recording/measure.ts`.
 */
import { createSessions } from "@sojourn/core"
import { performance } from "node:perf_hooks"
import { setImmediate as turnOfLoop } from "node:timers/promises"
import { History } from "../../src/history/History.ts"
import { Recorder } from "../../src/recording/Recorder.ts"
import { readRecording } from "../../src/recording/readRecording.ts"

const sessions = createSessions({ name: "measured", open: () => ({}) })
const history = new History({ sessions: [sessions] })
const times = 20_000
const runs = async (): Promise<number> => {
  const began = performance.now()
  for (let time = 0; time < times; time++) {
    await sessions.run(`key-${time % 500}`, () => time)
    if (time % 100 === 0) await turnOfLoop()
  }
  return ((performance.now() - began) / times) * 1000
}
const least = (values: ReadonlyArray<number>): string => `${Math.min(...values).toFixed(2)} µs`
await runs()
await runs()
const off: Array<number> = []
const listened: Array<number> = []
const recorded: Array<number> = []
for (let round = 0; round < 6; round++) {
  off.push(await runs())
  const end = sessions.subscribe(() => {})
  listened.push(await runs())
  end()
  const recorder = new Recorder({ sessions: [sessions], history })
  const on = recorder.on()
  recorded.push(await runs())
  on[Symbol.dispose]()
}
console.log(
  `a run (two events): ${least(off)}; with a listener that does nothing ${least(listened)}; recorded ${least(recorded)}`,
)

const recorder = new Recorder({ sessions: [sessions], history })
using on = recorder.on()
void on
for (let round = 0; round < 5; round++) await runs()
await turnOfLoop()
const { bytes, lines } = recorder.state
console.log(`kept: ${lines} lines in ${(bytes / 1e6).toFixed(1)} MB, ${(bytes / lines).toFixed(0)} B a line`)
const memory = process.memoryUsage()
let longest = 0
let before = performance.now()
const beat = setInterval(() => {
  longest = Math.max(longest, performance.now() - before)
  before = performance.now()
}, 1)
const began = performance.now()
const zipped = await recorder.recording().bytes()
const wrote = performance.now() - began
clearInterval(beat)
const { arrayBuffers, external } = process.memoryUsage()
console.log(
  `written: ${(zipped.length / 1e6).toFixed(2)} MB in ${wrote.toFixed(0)} ms, the loop never held for more than ${longest.toFixed(0)} ms; buffers grew by ${((arrayBuffers + external - memory.arrayBuffers - memory.external) / 1e6).toFixed(1)} MB`,
)
let read = 0
const beganReading = performance.now()
for await (const _ of readRecording(new Blob([zipped]).stream())) read++
console.log(`read: ${read} lines in ${(performance.now() - beganReading).toFixed(0)} ms`)
await sessions.drain()
