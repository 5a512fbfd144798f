/** The resumable streams of a registry, by session key: running ones, and ended ones for as long as they are kept. */
import type { Kept } from "../../options.ts"
import type { Registry } from "../../registry/Registry.ts"
import type { SessionRef } from "../../SessionKey.ts"
import { StreamLog } from "./streams.ts"

// A client that starts stream after stream must not fill the memory with what it no longer reads.
const endedPerKey = 4

export class StreamShelf {
  readonly #registry: Registry
  readonly #logs = new Map<string, Array<StreamLog>>()
  constructor(registry: Registry) {
    this.#registry = registry
  }

  open(key: string, kept: Kept, ref: () => SessionRef): StreamLog {
    const log: StreamLog = new StreamLog(kept, ref, this.#registry.draining.signal, (begun) =>
      begun ? this.#ended(key, log, kept) : this.#forget(key, log),
    )
    const logs = this.#logs.get(key)
    if (logs === undefined) this.#logs.set(key, [log])
    else logs.push(log)
    return log
  }
  #ended(key: string, log: StreamLog, kept: Kept): void {
    this.#registry.timetable.at("forget", kept.keep, () => this.#forget(key, log))
    const ended = (this.#logs.get(key) ?? []).filter((one) => !one.running)
    for (const old of ended.slice(0, -endedPerKey)) this.#forget(key, old)
  }
  #forget(key: string, log: StreamLog): void {
    const left = (this.#logs.get(key) ?? []).filter((one) => one !== log)
    if (left.length === 0) this.#logs.delete(key)
    else this.#logs.set(key, left)
  }

  /** The newest, or the named one; an ended one only for who says where to go on. */
  find(key: string, id: string | undefined, endedToo: boolean): StreamLog | undefined {
    return this.#logs
      .get(key)
      ?.findLast((log) => (id === undefined || log.id === id) && (endedToo || log.running))
  }
}
