/** One hostile user: one thing after the other, some of them awaited, most of them not. */
import type { Random } from "../random.ts"
import { pause } from "../time.ts"
import type { KindName, Scene, Site } from "../world/Scene.ts"
import { drawCall } from "./calls.ts"
import { cancelSome, closeOne, hurtOne, look, restartOne } from "./control.ts"
import { burst, storm } from "./crowds.ts"
import { leaseOnce } from "./leases.ts"
import { streamOnce } from "./streams.ts"

const acts = {
  run: 50,
  "run many": 8,
  stream: 9,
  lease: 6,
  close: 3,
  restart: 4,
  cancel: 4,
  hurt: 6,
  look: 4,
  burst: 3,
  storm: 0.6,
} as const
/** A database takes seconds to open: it is used, asked wrongly, closed and hurt now and then, never hung up. */
const dearActs = { run: 60, "run many": 10, close: 1, restart: 1, hurt: 1, look: 5, cancel: 5 } as const
type Act = keyof typeof acts
const noAct = Object.fromEntries(Object.keys(acts).map((act) => [act, 0])) as Record<Act, number>

const shares: Readonly<Record<KindName, number>> = { memory: 50, child: 18, socket: 26, database: 6 }
/** Beyond this a user waits for what it has begun: a slow machine is loaded, not buried. */
const mostPending = 800

const siteOf = (scene: Scene, random: Random): Site | undefined => {
  if (scene.former.length > 0 && random.chance(0.04)) return random.pick(scene.former)
  const kind = random.weighted(shares)
  return scene.sites.find((site) => site.kind === kind)
}

export const user = async (scene: Scene, random: Random, goOn: () => boolean): Promise<void> => {
  for (let number = 1; goOn(); number++) {
    const site = siteOf(scene, random)
    if (site !== undefined) {
      const done = act(scene, site, random.fork(number))
      if (scene.book.open.size > mostPending || random.chance(0.15)) await done
    }
    await pause(random.between(0, 20))
  }
}

const act = async (scene: Scene, site: Site, random: Random): Promise<unknown> => {
  // Half of all goes to a few keys: there is always somebody in line.
  const key = random.chance(0.5) ? site.keys[random.below(4)] : random.pick(site.keys)
  if (key === undefined) return
  const dear = site.kind === "database"
  switch (random.weighted<Act>(dear ? { ...noAct, ...dearActs } : acts)) {
    case "run":
      return scene.handIn(site, key, drawCall(random, dear), random)
    case "run many":
      return Promise.all(
        Array.from({ length: random.between(2, 8) }, (_, index) => {
          const own = random.fork(index)
          return scene.handIn(site, key, drawCall(own, dear), own)
        }),
      )
    case "stream":
      return streamOnce(scene, site, key, random)
    case "lease":
      return leaseOnce(scene, site, key, random)
    case "close":
      return closeOne(scene, site, key, random)
    case "restart":
      return restartOne(scene, site, key, random)
    case "cancel":
      return cancelSome(scene, site, key, random)
    case "hurt":
      return hurtOne(scene, site, random)
    case "look":
      return look(scene, site, key)
    case "burst":
      return burst(scene, site, random)
    case "storm":
      return storm(scene, site, random)
  }
}
