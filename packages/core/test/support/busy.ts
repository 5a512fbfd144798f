import type { Face } from "./faces.ts"
import { gate, type Policy } from "./ledger.ts"
import { settle } from "./VirtualClock.ts"
import { watch } from "./watch.ts"

/** One turn runs and does not end before `held` opens; two wait behind it. */
export const busyWorld = async (world: Face["world"], policy: Policy) => {
  const it = world(policy)
  const held = gate()
  const starts: Array<string> = []
  const turn = (name: string, work: () => unknown) =>
    watch(
      it.clock,
      it.sessions.run("a", ({ serial }) => {
        starts.push(`${name} on ${serial}`)
        return work()
      }),
    )
  const first = turn("first", () => held.promise)
  const waiting = [turn("second", () => 2), turn("third", () => 3)]
  await settle()
  return { ...it, held, starts, first, waiting }
}
