/** Every kind of harm the run does. Each is counted where it happens, not where it is planned. */
export const faults = [
  // in open
  "open throws",
  "open throws after it acquired",
  "open is slow",
  "open hangs until it is told to stop",
  "open hangs for a while and ignores its signal",
  "open hangs until let go",
  "open declares its resource broken",
  "open declares its resource ended",
  "open calls another session",
  "a resource arrives late",
  // in a body
  "task throws",
  "task throws synchronously",
  "task hangs until it is told to stop",
  "task returns a value after it was told to stop",
  "task hangs for a while and ignores its signal",
  "task hangs until let go",
  "task declares the resource broken",
  "task closes its session",
  "task restarts its session",
  "task works in the background",
  "background work throws",
  "background work hangs",
  "task closes its session from inside",
  "task acquires for its session",
  "task calls its own session",
  "task calls beside its own turn",
  "task calls behind its own turn",
  "task calls another session",
  "task calls another registry",
  "task is started once more",
  // in a probe
  "probe finds a good resource",
  "probe gives false",
  "probe throws",
  "probe is slow",
  "probe hangs until it is told to stop",
  "probe hangs for a while and ignores its signal",
  // in a finalizer
  "finalizer throws",
  "finalizer rejects",
  "finalizer is slow",
  "finalizer hangs for a while",
  "finalizer hangs until let go",
  "finalizer calls another session",
  "save throws",
  "save hangs for a while",
  // in a store
  "store is slow",
  "store cannot load",
  "store cannot save",
  "store hangs for a while",
  "store hangs until let go",
  "store gives a torn record",
  "store was written by another",
  "store cannot forget",
  // from outside
  "resource declared broken from outside",
  "resource declared ended from outside",
  "caller aborts",
  "caller aborted before the call",
  "caller times out",
  "caller cancels a session",
  "caller cancels a task",
  "session is closed",
  "session is closed with time to finish",
  "session is restarted",
  "session is restarted with time to finish",
  "turns replace each other",
  "turns are refused when busy",
  "call for a session that must exist",
  "key storm",
  "flood of refusals",
  "burst on one key",
  "lease is forgotten",
  "lease is used after its end",
  "stream consumer is slow",
  "stream consumer leaves",
  "stream source throws",
  "stream source hangs",
  "stream is resumed",
  "stream is resumed from what is gone",
  "registry is drained under load",
  "registry is drained twice",
  "registry is used while it drains",
  "backend is out for everybody",
  "heap is above its watermark",
  // children
  "child is owned by the library",
  "child is killed",
  "child is stopped",
  "child exits",
  "child is a slow starter",
  // sockets
  "server destroys the connection",
  "server destroys it at once",
  "server stops answering",
  "server answers slowly",
  "server ends the connection",
  "client loses its socket",
  // databases
  "database refuses a statement",
  "database is closed under its session",
] as const

export type Fault = (typeof faults)[number]

export class Tally {
  readonly #fired = new Map<string, number>()
  total = 0
  readonly fire = (fault: Fault): void => {
    this.total++
    this.#fired.set(fault, this.of(fault) + 1)
  }
  of(fault: Fault): number {
    return this.#fired.get(fault) ?? 0
  }
  get kinds(): number {
    return this.#fired.size
  }
  get missing(): number {
    return faults.length - this.kinds
  }
  get all(): ReadonlyArray<readonly [Fault, number]> {
    return faults.map((fault) => [fault, this.of(fault)] as const)
  }
}
