/** A world with words for losing a resource. */
import type { Face } from "./faces.ts"
import type { Thing, World } from "./ledger.ts"
import { watch, type Watched } from "./watch.ts"

export interface Losing extends World<Thing> {
  /** Uses the key; the value is the serial of what served it. */
  readonly use: (key?: string) => Watched
  /** Uses the key, declares what it used broken, and lets time pass. */
  readonly lose: (key?: string, wait?: number) => Promise<Watched>
}

export const losing =
  (world: Face["world"]) =>
  (...setup: Parameters<Face["world"]>): Losing => {
    const w = world(...setup)
    const { clock, sessions } = w
    return {
      ...w,
      use: (key = "a") =>
        watch(
          clock,
          sessions.run(key, (thing) => thing.serial),
        ),
      lose: async (key = "a", wait = 100) => {
        const call = watch(
          clock,
          sessions.run(key, (thing) => thing.opening.broken(new Error("lost"))),
        )
        await clock.advance(wait)
        return call
      },
    }
  }
