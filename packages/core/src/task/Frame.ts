/**
 * One link of the chain a call is made from: a turn, an open, a probe or a finalizer. Kept in our AsyncLocalStorage, where anything
 * a turn leaves behind keeps it alive; so it lets go of everything when its work ends.
 */
import type { Trace } from "../observe/Tracing.ts"
import type { Session } from "../session/Session.ts"
import type { Task } from "./Task.ts"

export class Frame {
  parent: Frame | undefined
  /** Undefined once the work has ended or was abandoned: the link no longer counts. */
  session: Session | undefined
  /** The task, for a turn. */
  task: Task | undefined
  readonly kind: "turn" | "open" | "probe" | "finalizer"
  /** Calls made from here whose callers have not been told yet. */
  calls: Set<Task> | undefined = undefined
  /** The span of an open, a probe or a finalizer. */
  trace: Trace | undefined = undefined

  /** Of an open that is over: whose resource it made. What that does by itself is in this context. */
  made: { readonly name: string; readonly key: string } | undefined = undefined

  constructor(kind: Frame["kind"], session: Session, task: Task | undefined, parent: Frame | undefined) {
    this.kind = kind
    this.session = session
    this.task = task
    // A dead link would only keep the links before it alive.
    this.parent = parent?.session === undefined ? undefined : parent
  }
  end(): void {
    if (this.kind === "open" && this.session !== undefined)
      this.made = { name: this.session.registry.name, key: this.session.key }
    this.parent = undefined
    this.session = undefined
    this.task = undefined
    this.calls = undefined
    this.trace = undefined
  }
}

/**
 * Whom does a call made from `frame` keep waiting? From the inside out, up to the first link that has ended or whose
 * caller was already told (L7).
 */
export const activeChain = (frame: Frame | undefined): ReadonlyArray<Frame> => {
  const chain: Array<Frame> = []
  for (let link = frame; link?.session !== undefined; link = link.parent) {
    chain.push(link)
    if (link.task?.outcome !== undefined) break
  }
  return chain
}

/** Is `session` on the chain? */
export const isInside = (frame: Frame | undefined, session: Session): boolean =>
  activeChain(frame).some((link) => link.session === session)
