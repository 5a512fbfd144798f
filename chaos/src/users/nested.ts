/** Calls made from inside a turn, an opening or a finalizer. */
import type { SessionKey, WhenBusy } from "@sojourn/core"
import { keyLabel } from "../book/Book.ts"
import type { Call, Life } from "../book/types.ts"
import type { Random } from "../random.ts"
import type { Scene, Site } from "../world/Scene.ts"
import type { BodyPlan, CallPlan } from "./plans.ts"

const brief = (random: Random): BodyPlan => ({
  steps: [
    { is: "ask", text: `nested ${random.below(1000)}` },
    { is: "pause", ms: random.between(0, 30) },
  ],
  end: random.chance(0.1) ? "throw" : "value",
})

const keyOf = (site: Site, label: string): SessionKey =>
  site.keys.find((key) => keyLabel(key) === label) ?? label

/** On another session: of the same registry, or of any. Its failure becomes its caller's own, at times. */
export const callAnother = async (
  scene: Scene,
  site: Site,
  from: { readonly call?: Call; readonly life?: Life; readonly sameSite?: boolean },
  random: Random,
): Promise<void> => {
  const cheap = scene.sites.filter((other) => other.kind !== "database")
  const target = from.sameSite === true ? site : (random.pick(cheap) ?? site)
  const key = random.pick(target.keys)
  if (key === undefined) return
  const origin = { parent: from.call, fromLife: from.life }
  const told = await scene.handIn(target, key, { body: brief(random) }, random, origin)
  if (!told.fulfilled && random.chance(0.3)) throw told.value
}

/** On its own session: refused, unless there is a slot for it or it needs none. */
export const callOwn = async (
  scene: Scene,
  site: Site,
  call: Call,
  whenBusy: WhenBusy,
  random: Random,
): Promise<void> => {
  const plan: CallPlan = { body: brief(random), whenBusy }
  await scene.handIn(site, keyOf(site, call.key), plan, random, { parent: call })
}

/** Behind its own turn, which must not wait for it. */
export const callBehind = (scene: Scene, site: Site, call: Call, random: Random): void => {
  const plan: CallPlan = { body: brief(random), detach: true }
  void scene.handIn(site, keyOf(site, call.key), plan, random, { parent: call })
}
