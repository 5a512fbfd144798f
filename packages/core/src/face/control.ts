/** What both faces can do to a session from outside: cancel, close, restart, drain, explain, snapshot, subscribe. */
import { currentFrame } from "../context.ts"
import { SessionMisuse } from "../errors.ts"
import { explain, explainUnseen } from "../observe/explain.ts"
import type { Explanation } from "../observe/Explanation.ts"
import type { DrainReport } from "../observe/Snapshot.ts"
import { takeSnapshot } from "../observe/takeSnapshot.ts"
import { checkedFunction, resolveFinishWithin, resolveNames } from "../options.ts"
import type { Registry } from "../registry/Registry.ts"
import { resolveKey, type SessionKey } from "../SessionKey.ts"
import type { CancelOptions, CloseOptions } from "../SessionOptions.ts"
import type { AnySessions, CloseReport } from "../Sessions.ts"
import type { Session } from "../session/Session.ts"
import { activeChain } from "../task/Frame.ts"
import type { Task } from "../task/Task.ts"

const usualDrain = 10_000

export interface Control extends AnySessions {
  readonly explain: (key: SessionKey) => Explanation
}

/** `onDrained`: called once, when nothing is left. */
export const control = (registry: Registry, onDrained: () => void): Control => {
  const inside = (session: Session | undefined): void => {
    const blocked = session === undefined ? registry.draining.isInside() : registry.closing.isInside(session)
    if (!blocked) return
    registry.monitor.reentrant++
    throw new SessionMisuse({ reason: "ReentrantClose", session: session?.ref })
  }
  const ending =
    (verb: "request" | "restart") =>
    async (key: SessionKey, options?: CloseOptions): Promise<CloseReport | undefined> => {
      const resolved = resolveKey(key)
      const within = resolveFinishWithin(options, 0)
      const session = registry.find(resolved)
      if (session === undefined) {
        // What an earlier life saved is forgotten all the same.
        if (verb === "request") await registry.saving.forget(resolved.canonical)
        return undefined
      }
      inside(session)
      return new Promise((resolve) => registry.closing[verb](session, within, resolve))
    }
  const drain = async (options?: CloseOptions): Promise<DrainReport> => {
    const within = resolveFinishWithin(options, usualDrain)
    inside(undefined)
    return new Promise((resolve) => {
      registry.draining.begin(within, (report) => {
        onDrained()
        resolve(report)
      })
    })
  }
  return {
    name: registry.name,
    draining: registry.draining.signal,
    cancel: (key, options) => cancel(registry, key, options),
    close: ending("request"),
    restart: ending("restart"),
    drain,
    explain: (key) => {
      const resolved = resolveKey(key)
      const session = registry.find(resolved)
      return session === undefined ? explainUnseen(registry, resolved) : explain(session)
    },
    snapshot: (options) => takeSnapshot(registry, options),
    subscribe: (listener) => {
      checkedFunction("listener", listener)
      const end = registry.events.subscribe(listener)
      return Object.assign(() => end(), { [Symbol.dispose]: () => end() })
    },
    [Symbol.asyncDispose]: async () => void (await drain()),
  }
}

const cancel = async (
  registry: Registry,
  key: SessionKey,
  options: CancelOptions | undefined,
): Promise<number> => {
  resolveNames(options, ["task"])
  const session = registry.find(resolveKey(key))
  if (session === undefined) return 0
  const own = new Set<Task | undefined>(activeChain(currentFrame()).map((link) => link.task))
  const tasks = tasksOf(session).filter((task) => task.outcome === undefined && isMeant(task, options?.task))
  const ends = tasks
    .filter((task) => task.state !== "queued" && !own.has(task))
    .map((task) => new Promise<void>((resolve) => registry.stops.whenEnded(task, resolve)))
  for (const task of tasks) registry.stops.stopForCaller(task, "Cancelled", "cancel")
  registry.steps.commit()
  await Promise.all(ends)
  return tasks.length
}

const tasksOf = (session: Session): ReadonlyArray<Task> => [
  ...(session.arrivals ?? []),
  ...(session.queue ?? []),
  ...(session.generation?.running ?? []),
]
/** Without an id every turn and stream; background work only by its own. */
const isMeant = (task: Task, id: string | undefined): boolean =>
  id === undefined ? task.kind === "turn" || task.kind === "stream" : task.id === id
