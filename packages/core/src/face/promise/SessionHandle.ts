/**
 * A session with the key filled in, and a lease, which is one bound to a generation. Functions are made when they are
 * read: destructuring is safe, and a handle made for each request costs little.
 */
import { captureCarrier, currentFrame, runFramed, type Carrier } from "../../context.ts"
import type { SessionKey, SessionRef } from "../../SessionKey.ts"
import type { RunOptions, StreamOptions } from "../../SessionOptions.ts"
import type { Calls, Session } from "../../Sessions.ts"
import type { Frame } from "../../task/Frame.ts"
import type { Lease } from "../../task/Leases.ts"
import type { Control } from "../control.ts"
import type { Work } from "./PromiseTask.ts"
import { nameOf, type Target, type Verbs } from "./verbs.ts"

/** What every handle of a registry works with. */
export interface Desk {
  readonly verbs: Verbs
  readonly control: Control
  readonly calls: (to: Target) => Calls<unknown, unknown>
}

export class SessionHandle implements Session<unknown> {
  readonly #desk: Desk
  readonly #to: Target
  readonly key: SessionKey
  constructor(desk: Desk, key: SessionKey, to: Target) {
    this.#desk = desk
    this.key = key
    this.#to = to
  }
  get run(): Session<unknown>["run"] {
    return ((work: Work, options?: RunOptions) =>
      this.#desk.verbs.run(this.#to, work, options, nameOf(work))) as Session<unknown>["run"]
  }
  get stream(): Session<unknown>["stream"] {
    return ((work: Work, options?: StreamOptions) =>
      this.#desk.verbs.stream(this.#to, work, options, nameOf(work))) as Session<unknown>["stream"]
  }
  get resume(): Session<unknown>["resume"] {
    return (options) => this.#desk.verbs.resume(this.#to, options)
  }
  get call(): Calls<{}, {}> {
    return this.#desk.calls(this.#to)
  }
  get cancel(): Session<unknown>["cancel"] {
    return (options) => this.#desk.control.cancel(this.key, options)
  }
  get close(): Session<unknown>["close"] {
    return (options) => this.#desk.control.close(this.key, options)
  }
}

export class LeaseHandle extends SessionHandle {
  readonly #lease: Lease
  readonly #controller = new AbortController()
  // Its signal is told in its holder's context, whoever ends it.
  readonly #carrier: Carrier | undefined = captureCarrier()
  readonly #frame: Frame | undefined = currentFrame()
  readonly session: SessionRef

  constructor(desk: Desk, key: SessionKey, to: Target, lease: Lease) {
    super(desk, key, to)
    this.#lease = lease
    this.session = lease.generation.ref
    const over = (): void => {
      const error = lease.generation.session.registry.leases.ended(lease)
      runFramed(this.#carrier, this.#frame, abort, this.#controller, error)
    }
    if (lease.told) over()
    else (lease.onEnd ??= []).push(over)
  }
  get signal(): AbortSignal {
    return this.#controller.signal
  }
  get progress(): () => void {
    return () => {
      if (this.#lease.ended === undefined)
        this.#lease.generation.session.registry.leases.progress(this.#lease)
    }
  }
  get release(): () => Promise<void> {
    return async () => this.#lease.generation.session.registry.leases.end(this.#lease, "released")
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }
}

const abort = (controller: AbortController, reason: unknown): void => controller.abort(reason)
