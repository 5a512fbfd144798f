/**
 * Would a call wait, for certain, for something that waits for it (L7)? The graph crosses sessions, registries, opens and
 * finalizers of this process; it is looked at only when a call is made from inside one of them. A turn waits for any slot,
 * a caller for all its calls, so this is a least fixed point ("can it end without an ancestor?"), not a search for cycles:
 * with several slots a cycle is no deadlock, and a deadlock no simple cycle.
 */
import type { Generation } from "../session/Generation.ts"
import type { Session } from "../session/Session.ts"
import { activeChain, type Frame } from "./Frame.ts"
import type { Task } from "./Task.ts"

/** `direct`: take the free slot now, never queue behind the turn that waits for it. */
export type Reentry = "clear" | "direct" | "deadlock"

export const reentry = (session: Session, from: Frame | undefined, task: Task): Reentry => {
  const { beside } = task
  const { concurrency } = session.registry.policy
  const chain = activeChain(from)
  if (chain.length === 0) return "clear"
  const generation = session.generation
  const ancestors = new Set(chain)
  if (beside && session.state === "Ready" && generation?.cold?.barrier === undefined) {
    // A lease does not touch the resource, so it waits for no probe.
    if (task.kind === "lease") return "clear"
    return mayEnd(generation?.cold?.probe?.asked?.frame, ancestors, new Set()) ? "clear" : "deadlock"
  }
  const holdsSlot = chain.filter(
    (link) => link.session === session && link.task !== undefined && !link.task.beside,
  )
  if (holdsSlot.length > 0) {
    const free =
      !beside &&
      session.state === "Ready" &&
      generation !== undefined &&
      holdsSlot.every((link) => link.task?.generation === generation) &&
      generation.slotsTaken + generation.slotsLost < concurrency
    return free ? "direct" : "deadlock"
  }
  return canEnter(session, ancestors, new Set()) ? "clear" : "deadlock"
}

/** What could be served before may not be any more: a slot was lost, or a barrier began. */
export const hopeless = (task: Task): boolean => {
  const chain = activeChain(task.parent)
  return chain.length > 0 && task.session !== undefined && !canEnter(task.session, new Set(chain), new Set())
}

/** Can it end although no ancestor does? A cycle on the path cannot. */
const canEnd = (frame: Frame, ancestors: ReadonlySet<Frame>, path: Set<Frame>): boolean => {
  if (frame.session === undefined) return true
  if (ancestors.has(frame) || path.has(frame)) return false
  path.add(frame)
  let can = true
  for (const call of frame.calls ?? []) {
    if (call.outcome !== undefined || call.session === undefined) continue
    const served =
      call.frame !== undefined ? canEnd(call.frame, ancestors, path) : canEnter(call.session, ancestors, path)
    if (!served) {
      can = false
      break
    }
  }
  path.delete(frame)
  return can
}

const canEnter = (session: Session, ancestors: ReadonlySet<Frame>, path: Set<Frame>): boolean => {
  const generation = session.generation
  if (generation === undefined) return true
  switch (session.state) {
    case "Opening":
      return mayEnd(generation.cold?.openFrame, ancestors, path)
    case "Stopping":
      return (
        mayEnd(generation.cold?.openFrame, ancestors, path) &&
        mayEnd(generation.cold?.probe?.asked?.frame, ancestors, path) &&
        running(generation).every((frame) => canEnd(frame, ancestors, path)) &&
        mayEnd(generation.cold?.finalizerFrame, ancestors, path)
      )
    case "Ready": {
      const frames = running(generation)
      // Nothing starts beside a probe.
      if (!mayEnd(generation.cold?.probe?.asked?.frame, ancestors, path)) return false
      if (generation.cold?.barrier !== undefined) {
        // It waits for the work beside the turns too; what runs in the background is stopped then.
        return frames.every((frame) => frame.task?.kind === "background" || canEnd(frame, ancestors, path))
      }
      const turns = frames.filter((frame) => frame.task?.beside === false)
      const { concurrency } = session.registry.policy
      if (generation.slotsTaken + generation.slotsLost < concurrency && (session.queue?.size ?? 0) === 0)
        return true
      return turns.length === 0 || turns.some((frame) => canEnd(frame, ancestors, path))
    }
    case "Dormant":
    case "Waiting":
    case "Backoff":
    case "Quarantined":
      return true
  }
}

const mayEnd = (frame: Frame | undefined, ancestors: ReadonlySet<Frame>, path: Set<Frame>): boolean =>
  frame === undefined || canEnd(frame, ancestors, path)

const running = (generation: Generation): ReadonlyArray<Frame> => {
  const frames: Array<Frame> = []
  for (const task of generation.running ?? []) if (task.frame !== undefined) frames.push(task.frame)
  return frames
}
