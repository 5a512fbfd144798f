/** What every `open` of the run does: acquires, makes its kind of resource, and goes wrong in a planned way. */
import type { Opening } from "@sojourn/core"
import type { Life } from "../book/types.ts"
import type { Random } from "../random.ts"
import { aborted, pause } from "../time.ts"
import { callAnother } from "../users/nested.ts"
import { declareBroken, kinds } from "./kinds.ts"
import { hold, holdLater } from "./pieces.ts"
import { plantProbe } from "./probing.ts"
import type { Resource, Scene, Site } from "./Scene.ts"

const plans = {
  fine: 74,
  throws: 3,
  "throws late": 3,
  slow: 5,
  "hangs heeding": 2,
  "hangs deaf": 2,
  "hangs until let go": 1,
  "declares broken": 2,
  "declares ended": 2,
  "calls another": 3,
  "acquires late": 3,
} as const
const dearPlans = { fine: 90, throws: 5, "throws late": 0, slow: 5 } as const
type Plan = keyof typeof plans

export const openerOf =
  (scene: Scene, site: Site) =>
  async (opening: Opening): Promise<Resource> => {
    const { book } = scene
    const life = book.life(site.record, opening, opening.restored)
    const nth = (site.openings.get(opening.key) ?? 0) + 1
    site.openings.set(opening.key, nth)
    const random = scene.random.fork("open", site.record.name, opening.key, nth)
    const plan: Plan = random.weighted<Plan>(site.kind === "database" ? { ...noPlan, ...dearPlans } : plans)
    try {
      const resource = await open(scene, site, opening, life, plan, random)
      book.openEnd(life, true, resource)
      return resource
    } catch (error) {
      book.openEnd(life, false, error)
      throw error
    }
  }
const noPlan = Object.fromEntries(Object.keys(plans).map((plan) => [plan, 0])) as Record<Plan, number>

const open = async (
  scene: Scene,
  site: Site,
  opening: Opening,
  life: Life,
  plan: Plan,
  random: Random,
): Promise<Resource> => {
  const { fire } = scene.tally
  if (performance.now() < site.outageUntil) {
    fire("backend is out for everybody")
    throw new Error("the backend is out")
  }
  if (plan === "throws") {
    fire("open throws")
    throw new Error("open threw")
  }
  if (random.chance(0.5)) plantSave(scene, opening, life, random)
  for (let left = random.below(3); left > 0; left--) await hold(scene, site, opening, life, random)
  await misbehave(scene, site, opening, life, plan, random)
  const made = await kinds[site.kind](scene, site, opening, life, random)
  if (random.chance(0.35)) plantProbe(scene, site, opening, life, made.ask, random.fork("probe"))
  const resource: Resource = { life, opening, ...made }
  // Where there is nothing dear to give back, this alone says when the resource stops being live.
  opening.onClose(() => void site.live.delete(resource))
  if (random.chance(0.4)) await hold(scene, site, opening, life, random)
  site.live.add(resource)
  if (opening.signal.aborted) site.live.delete(resource)
  return resource
}

const misbehave = async (
  scene: Scene,
  site: Site,
  opening: Opening,
  life: Life,
  plan: Plan,
  random: Random,
): Promise<void> => {
  const { gates, tally } = scene
  const { fire } = tally
  switch (plan) {
    case "throws late":
      fire("open throws after it acquired")
      throw new Error("open threw after it acquired")
    case "slow":
      fire("open is slow")
      return pause(random.between(10, 300))
    case "hangs heeding":
      fire("open hangs until it is told to stop")
      await aborted(opening.signal)
      throw opening.signal.reason
    case "hangs deaf":
      fire("open hangs for a while and ignores its signal")
      return pause(random.between(300, 4000))
    case "hangs until let go":
      if (!gates.take()) return
      fire("open hangs until let go")
      return gates.wait()
    case "declares broken":
      fire("open declares its resource broken")
      return declareBroken(scene, life, opening, new Error("broken while it was opened"))
    case "declares ended":
      fire("open declares its resource ended")
      return opening.end()
    case "calls another":
      fire("open calls another session")
      return callAnother(scene, site, { life }, random)
    case "acquires late":
      return holdLater(scene, site, opening, life, random)
    case "fine":
    case "throws":
  }
}

/** State for the next life: which life gave it, and how often it was asked. */
const plantSave = (scene: Scene, opening: Opening, life: Life, random: Random): void => {
  const manner = random.weighted({ clean: 8, throws: 1, hangs: 1 })
  const { book, tally } = scene
  opening.save(() => {
    const save = book.save(life)
    if (manner === "throws") {
      tally.fire("save throws")
      book.saveEnd(life, save, undefined)
      throw new Error("save threw")
    }
    const give = async (): Promise<unknown> => {
      if (manner === "hangs") {
        tally.fire("save hangs for a while")
        await pause(random.between(100, 900))
      }
      const state = { by: life.serial, key: life.key, nth: life.saves.length }
      book.saveEnd(life, save, state)
      return state
    }
    return give()
  })
}
