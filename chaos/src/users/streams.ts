/** Streams: sources that behave and do not, consumers that are slow, leave, and come back. */
import { SessionRefused, type SessionKey, type SessionStream, type Task } from "@sojourn/core"
import { keyLabel, settled } from "../book/Book.ts"
import { callName, place } from "../book/names.ts"
import type { Call, StreamRecord } from "../book/types.ts"
import type { Random } from "../random.ts"
import { aborted, pause } from "../time.ts"
import type { Resource, Scene, Site } from "../world/Scene.ts"
import { callerSignal } from "./calls.ts"

interface Element {
  readonly call: number
  readonly index: number
}

/**
 * By hand and not as a generator: a generator that is given back before its first element runs none of its own code, and
 * the book would not learn that it has ended.
 */
const sourceOf =
  (scene: Scene, call: Call, stream: StreamRecord, random: Random) =>
  (resource: Resource, task: Task): AsyncIterable<Element> => {
    const { book, gates, tally } = scene
    book.start(call, resource.life, task.signal)
    const length = random.between(0, 12)
    const wrong = random.weighted({ nothing: 20, throws: 3, hangs: 2, deaf: 2, gate: 1 })
    const wrongAt = random.below(length + 1)
    let over = false
    const end = (returned: boolean, value: unknown): void => {
      if (!over) book.end(call, returned, value)
      over = true
    }
    const misbehave = async (): Promise<void> => {
      if (wrong === "nothing" || stream.given !== wrongAt) return
      if (wrong === "throws") {
        tally.fire("stream source throws")
        throw new Error(`the source of ${call.number} threw`)
      }
      tally.fire("stream source hangs")
      if (wrong === "hangs") await aborted(task.signal)
      else if (wrong === "deaf") await pause(random.between(100, 1200))
      else if (gates.take()) await gates.wait()
    }
    const next = async (): Promise<IteratorResult<Element>> => {
      try {
        await misbehave()
        if (random.chance(0.4)) await pause(random.between(1, 40))
        if (over || stream.given >= length) {
          end(true, undefined)
          return { done: true, value: undefined }
        }
        await resource.ask(`${call.number} element`, task.signal)
        stream.given++
        book.sign(call)
        return { done: false, value: { call: call.number, index: stream.given } }
      } catch (error) {
        end(false, error)
        throw error
      }
    }
    return {
      [Symbol.asyncIterator]: () => ({
        next,
        return: async () => {
          end(false, undefined)
          return { done: true, value: undefined }
        },
      }),
    }
  }

export const streamOnce = async (
  scene: Scene,
  site: Site,
  key: SessionKey,
  random: Random,
): Promise<void> => {
  const { book } = scene
  const resumable = random.chance(0.35)
  const timeout = random.chance(0.08) ? random.between(10, 300) : undefined
  const call = book.call("stream", site.record, keyLabel(key), { timeout, resumable }, "queue")
  const record: StreamRecord = { askedAt: undefined, left: false, begun: undefined, taken: 0, given: 0 }
  call.stream = record
  const stream = site.sessions.stream(key, sourceOf(scene, call, record, random), {
    timeout,
    signal: callerSignal(scene, call, random.chance(0.08) ? random.between(1, 200) : undefined),
    // Fewer than it may give, so that going back to the start can be too late.
    resumable: resumable ? { items: 2, keep: 400 } : false,
  })
  void begins(scene, call, record, stream)
  await consume(scene, call, record, stream, random)
  if (!resumable || !record.left) return
  for (let times = random.between(1, 3); times > 0; times--)
    await resume(scene, site, key, call, stream, random)
}

const begins = async (
  { book }: Scene,
  call: Call,
  record: StreamRecord,
  { started }: SessionStream<Element>,
): Promise<void> => book.begun(call, record, (await settled(started)).fulfilled)

const consume = async (
  scene: Scene,
  call: Call,
  record: StreamRecord,
  stream: SessionStream<Element>,
  random: Random,
): Promise<void> => {
  const { book, tally } = scene
  const slow = random.chance(0.15)
  const leavesAfter = random.chance(0.3) ? random.below(6) : Infinity
  const reader = stream.entries()[Symbol.asyncIterator]()
  for (;;) {
    if (record.taken >= leavesAfter) {
      tally.fire("stream consumer leaves")
      record.left = true
      await reader.return?.()
      return book.tell(call, { fulfilled: true, value: undefined })
    }
    if (slow) {
      tally.fire("stream consumer is slow")
      await pause(random.between(50, 450))
    }
    record.askedAt = performance.now()
    const told = await settled(reader.next())
    record.askedAt = undefined
    if (!told.fulfilled) return book.tell(call, told)
    const result = told.value as IteratorResult<readonly [number, Element]>
    if (result.done === true) return book.tell(call, { fulfilled: true, value: undefined })
    record.taken++
    checkElement(scene, call, result.value, record.taken)
  }
}

const checkElement = (
  scene: Scene,
  call: Call,
  [index, element]: readonly [number, Element],
  expected: number,
): void => {
  if (index === expected && element.index === expected && element.call === call.number) return
  scene.book.violated(
    "streams",
    `${callName(call)} gave element ${element.index} of ${element.call} as number ${index}, expected ${expected}`,
    place(call.site, call.key),
  )
}

/** Goes on behind an element that was taken, or from a start that may be gone. */
const resume = async (
  scene: Scene,
  site: Site,
  key: SessionKey,
  call: Call,
  { id }: SessionStream<Element>,
  random: Random,
): Promise<void> => {
  const { book, tally } = scene
  await pause(random.between(0, 120))
  const after = random.chance(0.3) ? 0 : (call.stream?.taken ?? 0)
  tally.fire("stream is resumed")
  const ask = book.ask("resume", site.record, call.key, 0)
  const told = await settled(site.sessions.resume(key, { stream: id, after }))
  book.answer(ask, told)
  if (told.value instanceof SessionRefused && told.value.reason === "ReplayGap")
    tally.fire("stream is resumed from what is gone")
  if (!told.fulfilled || told.value === undefined) return
  let expected = after
  const read = async (): Promise<void> => {
    for await (const entry of (told.value as SessionStream<Element>).entries())
      checkElement(scene, call, entry, ++expected)
  }
  const reading = book.ask("resume", site.record, call.key, Infinity)
  book.answer(reading, await settled(read()))
}
