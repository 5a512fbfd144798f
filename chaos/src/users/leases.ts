/** Leases: held, used, kept alive, given back, forgotten, and used after their end. */
import { SessionRefused, type SessionKey } from "@sojourn/core"
import { keyLabel, settled } from "../book/Book.ts"
import type { Call, LeaseRecord } from "../book/types.ts"
import type { Random } from "../random.ts"
import { pause } from "../time.ts"
import type { Scene, Site } from "../world/Scene.ts"
import { callerSignal } from "./calls.ts"
import { drawBody } from "./plans.ts"

type Held = Awaited<ReturnType<Site["sessions"]["lease"]>>

export const leaseOnce = async (scene: Scene, site: Site, key: SessionKey, random: Random): Promise<void> => {
  const { book } = scene
  const mustExist = random.chance(0.1)
  const call = book.call("lease", site.record, keyLabel(key), { mustExist }, "overlap")
  const signal = callerSignal(scene, call, random.chance(0.1) ? random.between(1, 100) : undefined)
  const told = await settled(site.sessions.lease(key, { signal, mustExist }))
  if (told.fulfilled) call.lease = recordOf(scene, told.value as Held)
  book.tell(call, told)
  if (call.lease !== undefined) await hold(scene, site, key, call, call.lease, told.value as Held, random)
}

const recordOf = (scene: Scene, held: Held): LeaseRecord => {
  const record: LeaseRecord = {
    serial: held.session.serial,
    usedAt: performance.now(),
    turns: 0,
    released: false,
    ended: undefined,
  }
  const ended = (): void => {
    record.ended = scene.book.moment()
  }
  if (held.signal.aborted) ended()
  else held.signal.addEventListener("abort", ended, { once: true })
  return record
}

const hold = async (
  scene: Scene,
  site: Site,
  key: SessionKey,
  call: Call,
  record: LeaseRecord,
  held: Held,
  random: Random,
): Promise<void> => {
  const use = async (): Promise<void> => {
    record.turns++
    const plan = { body: drawBody(random, false) }
    await scene.handIn(site, key, plan, random, { lease: { call, run: held.run } })
    record.turns--
    record.usedAt = performance.now()
  }
  for (let times = random.below(5); times > 0; times--) {
    await pause(random.between(0, 120))
    if (random.chance(0.3)) {
      held.progress()
      record.usedAt = performance.now()
    } else await use()
  }
  if (random.chance(0.3)) return scene.tally.fire("lease is forgotten")
  await pause(random.between(0, 200))
  if (random.chance(0.5)) await held.release()
  else await held[Symbol.asyncDispose]()
  record.released = true
  if (!random.chance(0.3)) return
  scene.tally.fire("lease is used after its end")
  const late = await settled(held.run(() => 0))
  if (!(late.value instanceof SessionRefused && late.value.reason === "LeaseEnded")) {
    const drains = late.value instanceof SessionRefused && late.value.reason === "Draining"
    if (!drains) scene.book.violated("leases", `a released lease answered ${String(late.value)}`, call.key)
  }
}
