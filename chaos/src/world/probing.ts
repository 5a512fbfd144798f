/** Probes: most tell the truth, some give false, throw, or hang. */
import type { Opening } from "@sojourn/core"
import type { Life } from "../book/types.ts"
import type { Random } from "../random.ts"
import { aborted, pause } from "../time.ts"
import type { Resource, Scene, Site } from "./Scene.ts"

const manners = { honest: 70, false: 5, throws: 5, slow: 10, heeding: 5, deaf: 5 } as const

export const plantProbe = (
  scene: Scene,
  site: Site,
  opening: Opening,
  life: Life,
  ask: Resource["ask"],
  random: Random,
): void => {
  const { book, tally } = scene
  let asked = 0
  const check = async (signal: AbortSignal): Promise<boolean> => {
    const manner = site.kind === "database" ? "honest" : random.fork(++asked).weighted(manners)
    switch (manner) {
      case "honest":
        await ask("probe", signal)
        tally.fire("probe finds a good resource")
        return true
      case "slow":
        tally.fire("probe is slow")
        await pause(random.between(5, 80))
        return true
      case "false":
        tally.fire("probe gives false")
        return false
      case "throws":
        tally.fire("probe throws")
        throw new Error("probe threw")
      case "heeding":
        tally.fire("probe hangs until it is told to stop")
        await aborted(signal)
        return true
      case "deaf":
        tally.fire("probe hangs for a while and ignores its signal")
        await pause(random.between(100, 900))
        return true
    }
  }
  opening.probe(
    async ({ signal }) => {
      const span = book.probe(life)
      let how = "is over"
      try {
        const good = await check(signal)
        how = `gives ${good}`
        return good
      } finally {
        book.probeEnd(life, span, how)
      }
    },
    {
      trustFor: random.pick([0, 50, 10_000]),
      every: random.pick([Infinity, 60]),
      timeout: site.kind === "database" ? 5000 : 150,
    },
  )
}
