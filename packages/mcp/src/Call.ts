import type { RequestId } from "@modelcontextprotocol/sdk/types.js"
import type { RpcError } from "./rpc.ts"

/** What a call does to the two ends of its connection. */
export interface Line {
  /** Tells the server that nobody waits for it, as its client would have. */
  readonly cancel: (id: RequestId) => void
  /** Answers in the server's place. Never rejects. */
  readonly fail: (id: RequestId, error: RpcError) => Promise<void>
  /** Ends the answer without one: the client has said that it expects none. Never rejects. */
  readonly drop: (id: RequestId) => Promise<void>
}

/**
 * The requests of one POST, until each is answered or cancelled. The SDK's transport leaves a cancelled one without an
 * end: its response stays open for as long as the client does, and what the transport noted of it for ever.
 */
export class Call {
  readonly #line: Line
  readonly #waiting: Set<RequestId>
  readonly #cancelled: Array<RequestId> = []
  readonly #settled = Promise.withResolvers<void>()
  readonly #closed = Promise.withResolvers<void>()
  #stopped: RpcError | undefined
  #taken = false
  /** A sign of life of who answers. */
  readonly heard: () => void

  constructor(ids: ReadonlySet<RequestId>, line: Line, heard: () => void) {
    this.#waiting = new Set(ids)
    this.#line = line
    this.heard = heard
  }

  /** The transport has let its messages in. */
  get taken(): boolean {
    return this.#taken
  }
  /** All are answered or cancelled. */
  get settled(): Promise<void> {
    return this.#settled.promise
  }
  /** The connection is no more, and they will not be answered. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** A request arrives: may the server have it? */
  take(id: RequestId): boolean {
    this.#taken = true
    if (this.#stopped === undefined) return true
    void this.#end(id, this.#line.fail(id, this.#stopped))
    return false
  }
  answered(id: RequestId): void {
    this.#leave(id)
  }
  /** By its client. */
  cancelled(id: RequestId): void {
    if (!this.#waiting.has(id)) return
    this.#cancelled.push(id)
    this.#leave(id)
  }
  /** By us, or because the client is gone. What is not there yet will not be let in. */
  stop(error: RpcError): void {
    if (this.#stopped !== undefined) return
    this.#stopped = error
    if (!this.#taken) return
    for (const id of this.#waiting) {
      this.#line.cancel(id)
      void this.#end(id, this.#line.fail(id, error))
    }
  }
  close(): void {
    if (this.#waiting.size > 0) this.#closed.resolve()
    this.#settled.resolve()
  }

  async #end(id: RequestId, told: Promise<void>): Promise<void> {
    await told
    this.#leave(id)
  }
  #leave(id: RequestId): void {
    if (this.#waiting.delete(id) && this.#waiting.size === 0) void this.#settle()
  }
  /** Only now: dropping one would end the stream that the others are answered on. */
  async #settle(): Promise<void> {
    await Promise.all(this.#cancelled.map((id) => this.#line.drop(id)))
    this.#settled.resolve()
  }
}
