/**
 * A turn that yields many elements. The source decides nothing about who reads: a `Sink` asks for elements one by one
 * (its consumer sets the pace) or all at once (a resumable stream that keeps them).
 */
import { runFramed } from "../../context.ts"
import type { TaskOutcome } from "../../observe/Explanation.ts"
import type { Registry } from "../../registry/Registry.ts"
import type { Generation } from "../../session/Generation.ts"
import type { Timed } from "../../time/Timetable.ts"
import { PromiseTask, type Work } from "./PromiseTask.ts"
import { TaskHandle } from "./TaskHandle.ts"

export interface Sink {
  readonly begun: () => void
  readonly element: (value: unknown) => void
  /** The caller is told; no element follows. */
  readonly told: (outcome: TaskOutcome, value: unknown) => void
  /** Elements are wanted however fast they come, so nobody can stall it. */
  readonly eager: boolean
}
export class StreamTask extends PromiseTask {
  readonly #source: Work
  readonly #sink: Sink
  #iterator: AsyncIterator<unknown> | undefined
  #wanted = 0
  /** An element has been asked of the source. */
  #asking = false
  #stopped = false
  #givenBack = false
  #stall: Timed | undefined

  constructor(registry: Registry, name: string, beside: boolean, source: Work, sink: Sink) {
    super(registry, "stream", name, beside, source)
    this.#source = source
    this.#sink = sink
  }

  override begin(generation: Generation): void {
    this.#sink.begun()
    this.#asking = true
    void this.#open(generation)
  }
  async #open(generation: Generation): Promise<void> {
    try {
      const source = await runFramed(
        this.carrier,
        this.frame,
        this.#source,
        generation.resource,
        new TaskHandle(this),
      )
      this.#iterator = runFramed(this.carrier, this.frame, iterate, source, undefined)
    } catch (error) {
      return this.registry.turns.ended(this, false, error)
    }
    this.#asking = false
    // Told to stop, or abandoned, meanwhile: its real end is still to come.
    if (this.#stopped || this.state === "ended") return this.#giveBack()
    if (this.#sink.eager) this.#wanted = Infinity
    this.#armStall()
    this.#ask()
  }

  /** Its consumer may have had elements already. */
  override renew(): boolean {
    return false
  }
  /** The consumer wants one more. */
  want(): void {
    this.#wanted++
    this.#ask()
  }
  #ask(): void {
    const iterator = this.#iterator
    if (iterator === undefined || this.#asking || this.#wanted === 0 || this.#stopped) return
    this.#asking = true
    this.#wanted--
    this.registry.timetable.drop(this.#stall)
    this.registry.turns.progress(this)
    let next: Promise<IteratorResult<unknown>>
    try {
      next = runFramed(this.carrier, this.frame, nextOf, iterator, undefined)
    } catch (error) {
      return this.registry.turns.ended(this, false, error)
    }
    Promise.resolve(next).then(
      (result) => this.#answered(result),
      (error: unknown) => this.registry.turns.ended(this, false, error),
    )
  }
  #answered(result: IteratorResult<unknown>): void {
    this.#asking = false
    if (result.done === true) return this.registry.turns.ended(this, !this.#stopped, undefined)
    if (this.state === "ended") return this.#giveBack()
    this.registry.turns.progress(this)
    if (this.outcome === undefined) this.#sink.element(result.value)
    if (this.#stopped) return this.#giveBack()
    this.#armStall()
    this.#ask()
  }
  #armStall(): void {
    if (this.#sink.eager || this.#wanted > 0) return
    const { registry } = this
    this.#stall = registry.timetable.at("stall", registry.policy.timeouts.stall, () =>
      registry.stops.stopForCaller(this, "Stalled"),
    )
  }
  /** While nobody asks, it has nothing to say. */
  override get waitsForConsumer(): boolean {
    return this.#iterator !== undefined && !this.#asking && this.#wanted === 0
  }

  override stop(reason: unknown): void {
    super.stop(reason)
    if (this.#stopped) return
    this.#stopped = true
    this.registry.timetable.drop(this.#stall)
    if (this.#iterator !== undefined && (!this.#asking || this.interruptible)) this.#giveBack()
  }
  /** What is being asked for ends first: a generator takes `return` only between its elements. */
  get interruptible(): boolean {
    return false
  }
  #giveBack(): void {
    if (this.#givenBack) return
    this.#givenBack = true
    this.#asking = true
    const ended = (): void => this.registry.turns.ended(this, false, undefined)
    try {
      const iterator = this.#iterator
      if (iterator?.return === undefined) return ended()
      Promise.resolve(runFramed(this.carrier, this.frame, returnOf, iterator, undefined)).then(
        ended,
        (error: unknown) => this.registry.turns.ended(this, false, error),
      )
    } catch (error) {
      this.registry.turns.ended(this, false, error)
    }
  }

  override deliver(outcome: TaskOutcome, value: unknown): void {
    this.registry.timetable.drop(this.#stall)
    this.#sink.told(outcome, value)
  }
}

const iterate = (source: unknown): AsyncIterator<unknown> => {
  if (typeof source === "object" && source !== null) {
    if (Symbol.asyncIterator in source) return (source as AsyncIterable<unknown>)[Symbol.asyncIterator]()
    // A plain iterable is one that never has to wait.
    if (Symbol.iterator in source) return awaited((source as Iterable<unknown>)[Symbol.iterator]())
  }
  throw new TypeError("stream: the task must return an AsyncIterable, or a promise of one.")
}
const awaited = (iterator: Iterator<unknown>): AsyncIterator<unknown> => ({
  next: async () => iterator.next(),
  return: async (value?: unknown) => iterator.return?.(value) ?? { done: true, value },
})
const nextOf = (iterator: AsyncIterator<unknown>): Promise<IteratorResult<unknown>> => iterator.next()
const returnOf = (iterator: AsyncIterator<unknown>): Promise<unknown> | undefined => iterator.return?.()
