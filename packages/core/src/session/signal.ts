/**
 * The signal of a generation: made when it is first read, its reason when somebody has to be told. Most generations end
 * without anybody having looked, and an error with its stack is a large part of what a close would cost.
 */
import { runClean } from "../context.ts"
import { SessionRefused } from "../errors.ts"
import type { Generation } from "./Generation.ts"

export const signalOf = (generation: Generation): AbortSignal => {
  const cold = generation.more
  if (cold.controller === undefined) {
    cold.controller = new AbortController()
    if (generation.phase !== "opening" && generation.phase !== "live")
      cold.controller.abort(reasonOf(generation))
  }
  return cold.controller.signal
}

/** `reason`: why its opening failed; otherwise that it is over. */
export const abortSignal = (generation: Generation, reason?: unknown): void => {
  if (reason !== undefined) generation.more.abortReason ??= reason
  const controller = generation.cold?.controller
  if (controller === undefined || controller.signal.aborted) return
  runClean(() => controller.abort(reasonOf(generation)), generation.cold?.openFrame)
}

const reasonOf = (generation: Generation): unknown => {
  const { registry } = generation.session
  return (
    generation.cold?.abortReason ??
    new SessionRefused({
      reason: registry.phase === "accepting" ? "Closed" : "Draining",
      session: generation.ref,
      message: `This generation is over: ${generation.reason ?? "Requested"}.`,
      explain: registry.answers.explainLater(generation.session),
    })
  )
}
