/** A process with a small heap, which takes snapshots of itself and says what it saw, as one line of JSON. */
import { setTimeout as pass } from "node:timers/promises"
import { heapSnapshot, heapSnapshotCost } from "../../src/profile/heapSnapshot.ts"
import { profiling } from "../../src/profile/oneAtATime.ts"
import { ProfileRefused } from "../../src/profile/ProfileRefused.ts"

class FindMeInTheHeap {
  readonly text = "a text that is in the heap"
}
const kept = new FindMeInTheHeap()

const reasonOf = (work: () => unknown): unknown => {
  try {
    work()
    return "done"
  } catch (error) {
    return error instanceof ProfileRefused ? error.reason : String(error)
  }
}

const cost = heapSnapshotCost()
const stream = heapSnapshot()
const during = { busy: reasonOf(() => heapSnapshot()), profiling: profiling() }
let text = ""
let pieces = 0
let longest = 0
const decoder = new TextDecoder()
for await (const piece of stream) {
  text += decoder.decode(piece, { stream: true })
  pieces++
  longest = Math.max(longest, piece.length)
}
await pass(1)
const parsed = JSON.parse(text) as { readonly snapshot: object; readonly strings: ReadonlyArray<string> }
const afterwards = profiling()

const cancelled = heapSnapshot()
const reader = cancelled.getReader()
await reader.read()
await reader.cancel()
await pass(1)
const afterCancel = profiling()

const gone = new AbortController()
const aborted = heapSnapshot({ signal: gone.signal }).getReader()
await aborted.read()
gone.abort(new Error("enough"))
const abortedWith = await aborted.read().then(
  () => "read",
  (error: unknown) => String(error),
)
await pass(1)
const afterAbort = profiling()

Object.defineProperty(process, "availableMemory", { value: () => 1_000_000 })
const low = reasonOf(() => heapSnapshot())
const forced = heapSnapshot({ force: true })
await forced.cancel()
await pass(1)

console.log(
  JSON.stringify({
    cost,
    during,
    pieces,
    longest,
    bytes: text.length,
    has: parsed.strings.includes("FindMeInTheHeap") && parsed.strings.includes(kept.text),
    isSnapshot: "meta" in parsed.snapshot,
    afterwards,
    afterCancel,
    abortedWith,
    afterAbort,
    low,
    afterForced: profiling(),
  }),
)
