/** Many at once: bursts on one key, more keys than there are places, refusals by the thousand. */
import type { SessionKey } from "@sojourn/core"
import type { Told } from "../book/Book.ts"
import type { Random } from "../random.ts"
import type { Scene, Site } from "../world/Scene.ts"
import { drawCall } from "./calls.ts"

const handInOne = (scene: Scene, site: Site, key: SessionKey, random: Random): Promise<Told> =>
  scene.handIn(site, key, drawCall(random, true), random)

/** One key, one line: who came first is served first. */
export const burst = async (scene: Scene, site: Site, random: Random): Promise<void> => {
  const key = random.pick(site.keys)
  if (key === undefined) return
  scene.tally.fire("burst on one key")
  const size = site.kind === "memory" ? random.between(20, 150) : random.between(3, 10)
  await Promise.all(
    Array.from({ length: size }, (_, index) => handInOne(scene, site, key, random.fork(index))),
  )
}

/** More sessions are wanted than there are places: some are evicted, some wait, some are refused. */
export const storm = async (scene: Scene, site: Site, random: Random): Promise<void> => {
  scene.tally.fire("key storm")
  await Promise.all(site.keys.map((key, index) => handInOne(scene, site, key, random.fork(index))))
}

/** So many refusals in one go that events have to be dropped, and said to be. */
export const flood = async (scene: Scene, site: Site, random: Random): Promise<void> => {
  scene.tally.fire("flood of refusals")
  const plan = { mustExist: true, body: { steps: [], end: "value at once" } } as const
  const size = random.between(4200, 5000)
  await Promise.all(
    Array.from({ length: size }, (_, index) => scene.handIn(site, `nobody${index % 50}`, plan, random)),
  )
}
