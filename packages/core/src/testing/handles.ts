/**
 * What Node holds for somebody: timers, sockets, servers, child processes, worker threads, file watchers, open files. Noted
 * when it is made and crossed out when it is gone, for each holder in whose async context it was made, or by something made
 * there (a server accepts its sockets in nobody's context).
 */
import { AsyncLocalStorage, createHook } from "node:async_hooks"
import * as http from "node:http"
import * as https from "node:https"
import { framesOf, isOurs, placeOf, stackHere, type Stack } from "./place.ts"
import { realNow, realPause } from "./realTime.ts"

/** In the order in which they explain what is made at one place: a child process has its pipes, a server its sockets. */
const names: ReadonlyMap<string, string> = new Map([
  ["PROCESSWRAP", "a child process"],
  ["WORKER", "a worker thread"],
  ["TCPSERVERWRAP", "a server"],
  ["PIPESERVERWRAP", "a server"],
  ["TCPWRAP", "a socket"],
  ["UDPWRAP", "a UDP socket"],
  ["PIPEWRAP", "a pipe"],
  ["FSEVENTWRAP", "a file watcher"],
  ["STATWATCHER", "a file watcher"],
  ["FILEHANDLE", "an open file"],
  ["SIGNALWRAP", "a signal listener"],
  ["Timeout", "a timer"],
  ["MESSAGEPORT", "a message port"],
])
const ranks: ReadonlyArray<string> = [...names.keys()]
/** A handle or a request of Node's, or a tick on the way to one; not what others name after themselves. */
const isInteresting = (type: string): boolean =>
  type === "Timeout" || type === "TickObject" || (/^[A-Z0-9]+$/.test(type) && type !== "PROMISE")
/** Node often makes a handle some ticks after it was asked to: so many stacks back. */
const mostStacks = 4

/** Something made in a holder's name, a request or a tick as well as what is held. */
interface Made {
  readonly type: string
  readonly holder: Holder
  readonly resource: object
  /** Its own, and of what it came from. Their text is made when it is looked at. */
  readonly stacks: ReadonlyArray<Stack>
}

/** Something left over, in words. */
export interface Held {
  readonly what: string
  readonly place: string
  readonly by: string
}

const storage = new AsyncLocalStorage<Holder>()
const live = new Map<number, Made>()
/** A file that Node has just opened, in nobody's context: it belongs to the request whose callback comes next. */
let opened: { readonly id: number; readonly resource: object } | undefined
let users = 0

const note = (id: number, type: string, resource: object, holder: Holder, from: Made | undefined): void => {
  if (holder.closed) return
  holder.made++
  const stacks = [stackHere(), ...(from?.stacks ?? [])].slice(0, mostStacks)
  live.set(id, { type, holder, resource, stacks })
}

// `resource` is kept: Node does not say that a file was closed, only its object does.
const hook = createHook({
  trackPromises: false,
  init(id: number, type: string, trigger: number, resource: object) {
    if (!isInteresting(type)) return
    const from = live.get(trigger)
    const holder = storage.getStore() ?? from?.holder
    if (holder !== undefined) note(id, type, resource, holder, from)
    else if (type === "FILEHANDLE") opened = { id, resource }
  },
  before(id: number) {
    if (opened === undefined) return
    const from = live.get(id)
    if (from !== undefined) note(opened.id, "FILEHANDLE", opened.resource, from.holder, from)
    opened = undefined
  },
  destroy(id: number) {
    live.delete(id)
  },
})

/** Made by Node itself as a part of something else, or shared by the whole process. */
const isInternal = ({ stacks: [stack], type }: Made): boolean => {
  const frames = stack === undefined ? [] : framesOf(stack)
  if (frames.some((frame) => frame.startsWith("node:internal/deps/undici"))) return true
  if (type !== "Timeout") return false
  const maker = frames.find(
    (frame) => !isOurs(frame) && !/^node:(internal\/)?(timers|async_hooks)/.test(frame),
  )
  return maker?.startsWith("node:") === true
}

/** In the pool of connections that a plain `http.get` uses: the process's, not one session's. */
const isPooled = (resource: object): boolean => {
  for (const { sockets, freeSockets } of [http.globalAgent, https.globalAgent]) {
    for (const socket of [...Object.values(sockets), ...Object.values(freeSockets)].flat()) {
      const handle: unknown = socket === undefined ? undefined : Reflect.get(socket, "_handle")
      if (handle === resource) return true
      if (typeof handle === "object" && handle !== null && Reflect.get(handle, "_parent") === resource)
        return true
    }
  }
  return false
}
const isHeld = (made: Made): boolean => {
  const { resource, type } = made
  if (!names.has(type) || isInternal(made)) return false
  if (type === "FILEHANDLE") return Number(Reflect.get(resource, "fd")) >= 0
  // Standard input and output, opened by whoever first prints.
  if (type === "PIPEWRAP" || type === "TCPWRAP") {
    const fd: unknown = Reflect.get(resource, "fd")
    if (typeof fd === "number" && fd >= 0 && fd <= 2) return false
    return !isPooled(resource)
  }
  // A port nobody listens at goes with its last reference.
  if (type === "MESSAGEPORT") return call(resource, "hasRef") === true
  return true
}
const call = (resource: object, method: string): unknown => {
  const found: unknown = Reflect.get(resource, method)
  return typeof found === "function" ? Reflect.apply(found, resource, []) : undefined
}

/** Somebody in whose name things are made. */
export class Holder {
  readonly name: string
  closed = false
  /** How many so far, requests included: a sign of life. */
  made = 0
  constructor(name: string) {
    this.name = name
    if (users++ === 0) hook.enable()
  }
  run<A>(work: () => A): A {
    return storage.run(this, work)
  }
  /** In whose name the code runs that asks. */
  static get current(): Holder | undefined {
    return storage.getStore()
  }
  get #all(): ReadonlyArray<Made> {
    return [...live.values()].filter((made) => made.holder === this)
  }
  /** Something of it is alive: real time can move it. */
  get holdsAnything(): boolean {
    for (const { holder } of live.values()) if (holder === this) return true
    return false
  }
  /** One line for each place, named after what explains the rest. */
  held(): ReadonlyArray<Held> {
    const byPlace = new Map<string, string>()
    for (const made of this.#all) {
      if (!isHeld(made)) continue
      const { type } = made
      const place = placeOf(made.stacks.flatMap(framesOf))
      const other = byPlace.get(place)
      if (other === undefined || ranks.indexOf(type) < ranks.indexOf(other)) byPlace.set(place, type)
    }
    return [...byPlace].map(([place, type]) => ({ what: names.get(type) ?? type, place, by: this.name }))
  }
  /** Notes nothing more. What is left no longer keeps the process alive: a failed test must be able to end. */
  close(): void {
    if (this.closed) return
    this.closed = true
    for (const made of this.#all) if (isHeld(made)) call(made.resource, "unref")
    for (const [id, { holder }] of live) if (holder === this) live.delete(id)
    if (--users === 0) hook.disable()
  }
}

/** What is still held when `patience` real milliseconds have passed, and nothing has gone meanwhile for as long. */
export const heldAfter = async (
  patience: number,
  holders: ReadonlyArray<Holder>,
  expected: (held: Held) => boolean = () => false,
): Promise<ReadonlyArray<Held>> => {
  let since = realNow()
  let before = Infinity
  for (;;) {
    const held = holders.flatMap((holder) => holder.held()).filter((one) => !expected(one))
    if (held.length < before) {
      before = held.length
      since = realNow()
    }
    if (held.length === 0 || realNow() - since >= patience) return held
    await realPause(5)
  }
}
