/** Handing in a run: how it is called, how long its caller waits, and what became of it. */
import { TaskStopped, type RunOptions } from "@sojourn/core"
import { keyLabel, settled } from "../book/Book.ts"
import type { Call } from "../book/types.ts"
import type { Random } from "../random.ts"
import type { Scene, Site } from "../world/Scene.ts"
import { bodyOf } from "./bodies.ts"
import { drawBody, type CallPlan, type HandIn } from "./plans.ts"

export const drawCall = (random: Random, gentle: boolean): CallPlan => {
  const body = drawBody(random, gentle)
  switch (
    random.weighted({
      plain: 70,
      timeout: 6,
      abort: 6,
      "abort before": 1,
      busy: 10,
      mustExist: 3,
      idempotent: 12,
    })
  ) {
    case "plain":
      return { body }
    case "timeout":
      return { body, timeout: random.pick([0, random.between(1, 40), random.between(40, 400)]) }
    case "abort":
      return { body, abortAfter: random.between(1, 200) }
    case "abort before":
      return { body, abortAfter: 0 }
    case "busy":
      return { body, whenBusy: random.pick(["reject", "replace", "overlap"] as const) }
    case "mustExist":
      return { body, mustExist: true }
    case "idempotent":
      return { body, idempotent: true }
  }
}

/** Aborts with a reason of its own, so that nobody else's can be taken for it. */
export const callerSignal = (
  scene: Scene,
  call: Call,
  after: number | undefined,
): AbortSignal | undefined => {
  if (after === undefined) return undefined
  const controller = new AbortController()
  const reason = new Error(`the caller of ${call.number} left`)
  const abort = (): void => {
    if (call.told !== undefined) return
    scene.tally.fire(after === 0 ? "caller aborted before the call" : "caller aborts")
    call.aborted = { moment: scene.book.moment(), reason }
    controller.abort(reason)
  }
  if (after === 0) abort()
  else setTimeout(abort, after)
  return controller.signal
}

/** What is counted when a call of this kind is made. */
const tellApart = (scene: Scene, site: Site, plan: CallPlan): void => {
  const { fire } = scene.tally
  if (plan.whenBusy === "replace") fire("turns replace each other")
  if (plan.whenBusy === "reject") fire("turns are refused when busy")
  if (plan.mustExist === true) fire("call for a session that must exist")
  if (site.drainAsked) fire("registry is used while it drains")
}

export const handInFor =
  (scene: Scene): HandIn =>
  async (site, key, plan, random, origin = {}) => {
    const { book, tally } = scene
    tellApart(scene, site, plan)
    const { lease, ...from } = origin
    const call = book.call(
      "run",
      site.record,
      keyLabel(key),
      { ...from, ...plan, lease: lease?.call },
      "queue",
    )
    const options: RunOptions = {
      whenBusy: plan.whenBusy,
      detach: plan.detach,
      mustExist: plan.mustExist,
      idempotent: plan.idempotent,
      timeout: plan.timeout,
      signal: callerSignal(scene, call, plan.abortAfter),
    }
    const body = bodyOf(scene, site, call, plan.body, random)
    const told = await settled(
      lease === undefined ? site.sessions.run(key, body, options) : lease.run(body, options),
    )
    book.tell(call, told)
    if (told.value instanceof TaskStopped && told.value.reason === "Timeout") tally.fire("caller times out")
    return told
  }
