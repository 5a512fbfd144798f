/**
 * A real program for the test beside it: `node --max-old-space-size=96 heapProgram.ts <maxHeap>`. Keys keep coming, each
 * session holds more than a MB for as long as it lives, and most stay busy until the end. Says how it went; without a limit it
 * does not live to say it.
 */
import { setTimeout as pause } from "node:timers/promises"
import { createSessions, type SessionRefused } from "../../src/index.ts"

const keys = 70
/** Objects and texts: on the heap, where `Buffer`s and typed arrays are not. */
const held = (seed: number): ReadonlyArray<object> =>
  Array.from({ length: 18_000 }, (_, index) => ({ at: index, again: index * 2, text: `${seed}, ${index}` }))

const sessions = createSessions({
  name: "heap",
  open: ({ serial }) => held(serial),
  maxHeap: Number(process.argv[2]),
  idleTimeout: "1 hour",
  timeouts: { seat: 500 },
})
const counts: Record<string, number> = { served: 0, Evicted: 0, MaxHeap: 0 }
const count = (what: string): void => void (counts[what] = (counts[what] ?? 0) + 1)
sessions.subscribe((event) => {
  if (event._tag === "Closed") count(event.reason)
})
const end = Promise.withResolvers<void>()
const use = async (key: number): Promise<void> => {
  try {
    await sessions.run(`key ${key}`, () => (key % 4 === 0 ? undefined : end.promise))
    count("served")
  } catch (error) {
    count((error as SessionRefused).reason)
  }
}
const calls: Array<Promise<void>> = []
for (let key = 0; key < keys; key++) {
  calls.push(use(key))
  await pause(50)
}
end.resolve()
await Promise.all(calls)
console.log(JSON.stringify(counts))
