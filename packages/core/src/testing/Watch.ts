/**
 * Around everything users give to a registry: each piece of their code runs in the name of its generation, is noted until
 * it ends, and can be made to fail. The engine knows nothing of it.
 */
import { isThenable } from "../face/promise/PromiseTask.ts"
import type { SessionOptions, Streamable } from "../SessionOptions.ts"
import type { Opening, Task } from "../Sessions.ts"
import type { SessionRef } from "../SessionKey.ts"
import type { SessionStore } from "../store/SessionStore.ts"
import { Acquisitions, type Acquired, type AcquiredTap } from "./Acquired.ts"
import { Holder, type Held } from "./handles.ts"
import { UnderWay } from "./UnderWay.ts"

/** A moment at which users' code is about to be called. */
export type At = "open" | "task" | "probe" | "close"

export interface Tap extends AcquiredTap {
  /** Throws, or gives a promise that does not settle, to be taken for the work itself. */
  readonly before?: (at: At, key: string) => PromiseLike<never> | undefined
  /** The resource itself. */
  readonly opened?: (resource: unknown, holder: Holder) => void
}

interface Generation {
  readonly holder: Holder
  readonly acquisitions: Acquisitions
}
type Work = (resource: never, task: Task) => unknown
type Iterate = (resource: never, task: Task) => Streamable<unknown>

export class Watch {
  readonly underWay = new UnderWay()
  readonly #generations = new Map<number, Generation>()
  readonly #tap: Tap
  /** What belongs to no generation: the store's work. */
  readonly #registry = new Holder("the registry")
  constructor(tap: Tap) {
    this.#tap = tap
  }

  /** All that is users' code in the options. What is not a function is left to the engine to refuse. */
  options<R, H, S>(options: SessionOptions<R, H, S>): SessionOptions<R, H, S> {
    const { handlers, open, store, streams } = options
    return {
      ...options,
      open: typeof open === "function" ? this.open(open) : open,
      handlers: mapped(
        handlers,
        (handler) => (resource: never, input: never, task: Task) =>
          this.#begin(task, () => handler(resource, input, this.#task(task))),
      ),
      streams: mapped(
        streams,
        (stream) => (resource: never, input: never, task: Task) =>
          this.#stream(task, () => stream(resource, input, this.#task(task)) as Streamable<unknown>),
      ),
      store: this.#store(store),
    }
  }

  open<R>(open: (session: Opening) => R | PromiseLike<R>): (session: Opening) => R | PromiseLike<R> {
    return (session) => {
      const { acquisitions, holder } = this.#generation(session)
      const closing = this.#atClose(session)
      // At the bottom as well: an opening that was given up may never get to the top.
      if (closing !== undefined) session.onClose(closing)
      const instead = this.#tap.before?.("open", session.key)
      if (instead !== undefined) return instead
      const opened = (resource: R): R => {
        if (closing !== undefined) session.onClose(closing)
        this.#tap.opened?.(resource, holder)
        return resource
      }
      const watched = this.#opening(session, acquisitions.around(session))
      const result = this.underWay.track("open", `the open of ${holder.name}`, holder, () => open(watched))
      return isThenable(result) ? result.then(opened) : opened(result)
    }
  }
  /** Once for each generation, before the releases. */
  #atClose({ key }: Opening): (() => unknown) | undefined {
    const { before } = this.#tap
    if (before === undefined) return undefined
    let asked = false
    return () => {
      if (asked) return undefined
      asked = true
      return before("close", key)
    }
  }
  #opening(session: Opening, owning: Pick<Opening, "use" | "onClose">): Opening {
    const { holder } = this.#generation(session)
    const own: Partial<Opening> = {
      ...owning,
      probe: (check, options) =>
        session.probe(
          typeof check === "function"
            ? (context) =>
                this.#tap.before?.("probe", session.key) ??
                this.underWay.track("probe", `a probe of ${holder.name}`, holder, () => check(context))
            : check,
          options,
        ),
      save: (state) =>
        session.save(
          typeof state === "function"
            ? () => this.underWay.track("save", `the save of ${holder.name}`, holder, state)
            : state,
        ),
    }
    return overlaid(session, own)
  }

  /** A function handed to `run`. */
  readonly run = <F>(work: F): F =>
    typeof work === "function"
      ? (named(work, (resource: never, task: Task) =>
          this.#begin(task, () => (work as unknown as Work)(resource, this.#task(task))),
        ) as F)
      : work
  /** A function handed to `stream`. */
  readonly stream = <F>(work: F): F =>
    typeof work === "function"
      ? (named(work, (resource: never, task: Task) =>
          this.#stream(task, () => (work as unknown as Iterate)(resource, this.#task(task))),
        ) as F)
      : work

  #begin(task: Task, work: () => unknown): unknown {
    const { key } = task.session
    return this.#tap.before?.("task", key) ?? this.#track(task, work)
  }
  #track<A>(task: Task, work: () => A): A | Promise<Awaited<A>> {
    const { holder } = this.#generation(task.session)
    return this.underWay.track("task", `the task "${task.name}" of ${holder.name}`, holder, work)
  }
  /** Between two elements nothing is under way: its consumer sets the pace. */
  #stream(task: Task, iterate: () => Streamable<unknown>): unknown {
    const source = this.#begin(task, iterate)
    const watched = (iterable: unknown): unknown =>
      isAsyncIterable(iterable)
        ? { [Symbol.asyncIterator]: () => this.#iterator(task, iterable[Symbol.asyncIterator]()) }
        : iterable
    return isThenable(source) ? source.then(watched) : watched(source)
  }
  #iterator(task: Task, iterator: AsyncIterator<unknown>): AsyncIterator<unknown> {
    const next = async (): Promise<IteratorResult<unknown>> => this.#track(task, () => iterator.next())
    if (iterator.return === undefined) return { next }
    const end = iterator.return.bind(iterator)
    return { next, return: async (value?: unknown) => this.#track(task, () => end(value)) }
  }
  #task(task: Task): Task {
    const background: Task["background"] = (name, work) =>
      task.background(
        name,
        typeof work === "function"
          ? (own) =>
              this.underWay.track("task", `"${name}"`, this.#generation(own.session).holder, () =>
                work(this.#task(own)),
              )
          : work,
      )
    return overlaid(task, { background })
  }

  #store(store: SessionStore | undefined): SessionStore | undefined {
    if (typeof store !== "object" || store === null) return store
    const watched: Record<string, unknown> = {}
    for (const name of ["load", "save", "remove", "setAside"]) {
      const method: unknown = Reflect.get(store, name)
      if (typeof method !== "function") continue
      watched[name] = (...args: ReadonlyArray<unknown>): unknown =>
        this.underWay.track("store", `the store's ${name}`, this.#registry, () =>
          Reflect.apply(method, store, args),
        )
    }
    return overlaid<SessionStore>(store, watched)
  }

  #generation({ generation, key, serial }: SessionRef): Generation {
    let found = this.#generations.get(serial)
    if (found === undefined) {
      const holder = new Holder(`${key}#${generation}`)
      found = { holder, acquisitions: new Acquisitions(holder, this.underWay, this.#tap) }
      this.#generations.set(serial, found)
    }
    return found
  }

  get holders(): ReadonlyArray<Holder> {
    return [...this.#generations.values()].map(({ holder }) => holder)
  }
  get acquired(): ReadonlyArray<Acquired> {
    return [...this.#generations.values()].flatMap(({ acquisitions }) => acquisitions.all)
  }
  /** Real handles that are there now. */
  held(): ReadonlyArray<Held> {
    return this.holders.flatMap((holder) => holder.held())
  }
  close(): void {
    for (const holder of [...this.holders, this.#registry]) holder.close()
  }
}

/** The same object with some functions of its own; its other properties are read from itself, private fields and all. */
export const overlaid = <T extends object>(object: T, own: Partial<T>): T =>
  new Proxy(object, {
    get: (target, name) => Reflect.get(Object.hasOwn(own, name) ? own : target, name),
  })

/** The engine names a task after its function. */
const named = <F extends Function>(work: Function, wrapper: F): F =>
  Object.defineProperty(wrapper, "name", { value: work.name, configurable: true })

type Handler = (resource: never, input: never, task: Task) => unknown

const mapped = <T>(given: T, wrap: (method: Handler) => Handler): T =>
  typeof given === "object" && given !== null
    ? (Object.fromEntries(
        Object.entries(given).map(([name, method]: [string, unknown]) => [
          name,
          typeof method === "function" ? wrap(method as Handler) : method,
        ]),
      ) as T)
    : given

const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === "object" && value !== null && Symbol.asyncIterator in value
