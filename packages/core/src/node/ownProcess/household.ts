/** All that this process owns, and who is told of it: the watchdog, and the record for a later process. */
import { Family } from "./Family.ts"
import { endFamily } from "./ladder.ts"
import { lineOf, Records, type Recorded } from "./records.ts"
import { Watchdog } from "./watchdog.ts"

const owned = new Set<Family>()
/** Without a start time nobody else could know it again. */
const recorded = (): ReadonlyArray<Recorded> =>
  [...owned].flatMap(({ pid, leads, start }) => (start === undefined ? [] : [{ pid, leads, start }]))

const watchdog = new Watchdog(() => recorded().map(lineOf))
let records: Records | undefined

/** From now on it is ended if this process dies, until it is disowned. */
export const own = (family: Family): void => {
  const { pid, leads, start } = family
  owned.add(family)
  if (start !== undefined) watchdog.own(lineOf({ pid, leads, start }))
  const isFirst = records === undefined
  records ??= new Records()
  records.write(recorded())
  if (isFirst) void records.sweep(adopt)
}

export const disown = (family: Family): void => {
  if (!owned.delete(family)) return
  watchdog.disown(family.pid)
  records?.write(recorded())
}

/**
 * How many child processes are owned now: those given to `ownProcess` that have not ended with all that belongs to them,
 * and those found from a process that died.
 */
export const ownedProcesses = (): number => owned.size

/** Milliseconds that are left to what a dead process has left behind. */
const killAfter = 2500

const adopt = (orphans: ReadonlyArray<Recorded>): void => {
  for (const orphan of orphans) {
    const family = new Family(orphan)
    own(family)
    // If this process ends before they do, its watchdog goes on.
    void endFamily(family, { ask: () => false, exited: undefined, killAfter, keepsAlive: false }).then(() =>
      disown(family),
    )
  }
}
