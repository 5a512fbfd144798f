/** The two ways a stream is read: by one consumer who sets the pace, or from a bounded log that several may read again. */
import { SessionRefused } from "../../errors.ts"
import type { TaskOutcome } from "../../observe/Explanation.ts"
import type { Kept } from "../../options.ts"
import type { SessionRef } from "../../SessionKey.ts"
import type { CallerSignal } from "../../SessionOptions.ts"
import type { SessionStream } from "../../Sessions.ts"
import type { Sink } from "./StreamTask.ts"

type Entry = readonly [index: number, element: unknown]
interface End {
  readonly failed: boolean
  readonly error: unknown
}
const done: IteratorResult<never> = { done: true, value: undefined }

/** `started` of a stream: never an unhandled rejection. */
class Started {
  readonly promise: Promise<void>
  #resolve: () => void = () => {}
  #reject: (error: unknown) => void = () => {}
  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.promise.catch(() => {})
  }
  begun(): void {
    this.#resolve()
  }
  told(outcome: TaskOutcome, value: unknown): void {
    if (outcome !== "succeeded") this.#reject(value)
    else this.#resolve()
  }
}

const elements = (entries: AsyncIterator<Entry>): AsyncIterator<unknown> => ({
  next: async () => {
    const result = await entries.next()
    return result.done === true ? done : { done: false, value: result.value[1] }
  },
  return: async () => {
    await entries.return?.()
    return done
  },
})

interface Waiting {
  readonly resolve: (result: IteratorResult<Entry>) => void
  readonly reject: (error: unknown) => void
}

/** For one consumer: an element is made when it is asked for. */
export class PacedStream implements Sink, SessionStream<unknown> {
  readonly eager = false
  readonly #started = new Started()
  readonly #waiting: Array<Waiting> = []
  #index = 0
  #end: End | undefined
  #taken = false
  /** Set once the task exists. */
  id = ""
  want: () => void = () => {}
  leave: () => void = () => {}
  readonly draining: AbortSignal

  constructor(draining: AbortSignal) {
    this.draining = draining
  }
  get started(): Promise<void> {
    return this.#started.promise
  }
  begun(): void {
    this.#started.begun()
  }
  element(value: unknown): void {
    this.#waiting.shift()?.resolve({ done: false, value: [++this.#index, value] })
  }
  told(outcome: TaskOutcome, value: unknown): void {
    this.#started.told(outcome, value)
    const failed = outcome !== "succeeded"
    const first = this.#waiting.shift()
    if (first !== undefined && failed) first.reject(value)
    else first?.resolve(done)
    this.#end = { failed: failed && first === undefined, error: value }
    for (const waiting of this.#waiting.splice(0)) waiting.resolve(done)
  }

  readonly entries = (): AsyncIterable<Entry> => ({ [Symbol.asyncIterator]: () => this.#take() });
  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return elements(this.#take())
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.leave()
  }

  #take(): AsyncIterator<Entry> {
    if (this.#taken)
      throw new TypeError("This stream has its one consumer already. A resumable stream can be read again.")
    this.#taken = true
    return {
      next: () => {
        const end = this.#end
        if (end !== undefined) {
          this.#end = { failed: false, error: undefined }
          return end.failed ? Promise.reject(end.error) : Promise.resolve(done)
        }
        const next = new Promise<IteratorResult<Entry>>((resolve, reject) =>
          this.#waiting.push({ resolve, reject }),
        )
        this.want()
        return next
      },
      return: () => {
        this.leave()
        this.#end = { failed: false, error: undefined }
        return Promise.resolve(done)
      },
    }
  }
}

/** Keeps the last elements, so that a reader may leave, come back, and go on where it was. */
export class StreamLog implements Sink {
  readonly eager = true
  readonly #started = new Started()
  readonly #kept: Kept
  readonly #ref: () => SessionRef
  /** Told when it has ended; what it kept is forgotten a while later, at once if it never began. */
  readonly #onEnd: (begun: boolean) => void
  #begun = false
  #entries: Array<Entry> = []
  #dropped = 0
  #end: End | undefined
  #readers = new Set<() => void>()
  readonly #draining: AbortSignal
  id = ""

  constructor(kept: Kept, ref: () => SessionRef, draining: AbortSignal, onEnd: (begun: boolean) => void) {
    this.#kept = kept
    this.#draining = draining
    this.#ref = ref
    this.#onEnd = onEnd
  }
  get running(): boolean {
    return this.#end === undefined
  }
  begun(): void {
    this.#begun = true
    this.#started.begun()
  }
  element(value: unknown): void {
    const index = this.#dropped + this.#entries.length + 1
    this.#entries.push([index, value])
    // Twice the size before it is cut: one move per element would be quadratic.
    if (this.#entries.length >= this.#kept.items * 2) this.#drop(this.#entries.length - this.#kept.items)
    this.#wake()
  }
  #drop(count: number): void {
    this.#entries.splice(0, count)
    this.#dropped += count
  }
  told(outcome: TaskOutcome, value: unknown): void {
    this.#started.told(outcome, value)
    this.#end = { failed: outcome !== "succeeded", error: value }
    if (this.#entries.length > this.#kept.items) this.#drop(this.#entries.length - this.#kept.items)
    this.#wake()
    this.#onEnd(this.#begun)
  }
  #wake(): void {
    const readers = this.#readers
    this.#readers = new Set()
    for (const wake of readers) wake()
  }

  /** There is something new to look at. A signal may outlive many streams: it is listened to only meanwhile. */
  #more(signal: CallerSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener("abort", wake)
        this.#readers.delete(wake)
        resolve()
      }
      this.#readers.add(wake)
      signal?.addEventListener("abort", wake, { once: true })
    })
  }

  /** @throws SessionRefused ReplayGap */
  checkGap(after: number): void {
    if (after < this.#dropped) throw this.#gap()
  }
  #gap(): SessionRefused {
    return new SessionRefused({ reason: "ReplayGap", session: this.#ref() })
  }

  /** A reader of its own; leaving never cancels. */
  read(after: number, signal: CallerSignal | undefined): SessionStream<unknown> {
    let left = false
    const leave = (): void => {
      left = true
      this.#wake()
    }
    const readEntries = (): AsyncIterator<Entry> => {
      let position = after
      return {
        next: async () => {
          for (;;) {
            if (signal?.aborted === true) throw signal.reason
            if (left) return done
            if (position < this.#dropped) throw this.#gap()
            const entry = this.#entries[position - this.#dropped]
            if (entry !== undefined) {
              position++
              return { done: false, value: entry }
            }
            if (this.#end !== undefined) {
              left = true
              if (this.#end.failed) throw this.#end.error
              return done
            }
            await this.#more(signal)
          }
        },
        return: async () => {
          leave()
          return done
        },
      }
    }
    return {
      id: this.id,
      started: this.#started.promise,
      draining: this.#draining,
      entries: () => ({ [Symbol.asyncIterator]: readEntries }),
      [Symbol.asyncIterator]: () => elements(readEntries()),
      [Symbol.asyncDispose]: async () => leave(),
    }
  }
}
