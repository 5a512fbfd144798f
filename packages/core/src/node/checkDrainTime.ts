/** Will a drain end before the platform kills the process? Told when the handlers are set up: at the signal it is too late. */
import { existsSync } from "node:fs"
import { closeWithin, watchRegistries } from "../registry/process.ts"
import type { AnySessions } from "../Sessions.ts"
import { drainTooLong } from "../setup/drainTooLong.ts"
import { foundInSetup, isSetupCheckOn } from "../setup/findings.ts"
import { platformGrace } from "../setup/platformGrace.ts"

const nothing = (): void => {}

/** Without `given` of every registry that is live or comes. The result ends it. */
export const checkDrainTime = (
  finishWithin: number,
  given: ReadonlyArray<AnySessions> | undefined,
): (() => void) => {
  if (!isSetupCheckOn("SOJOURN_DRAIN_TOO_LONG")) return nothing
  const grace = platformGrace({ env: process.env, askedByDocker })
  if (grace === undefined) return nothing
  if (typeof grace === "string") {
    foundInSetup("SOJOURN_DRAIN_TOO_LONG", grace)
    return nothing
  }
  const look = (sessions: AnySessions): void => {
    const within = closeWithin(sessions)
    if (within === undefined) return
    const evidence = drainTooLong({ name: sessions.name, finishWithin, closeWithin: within }, grace)
    if (evidence !== undefined) foundInSetup("SOJOURN_DRAIN_TOO_LONG", evidence)
  }
  if (given === undefined) return watchRegistries(look)
  for (const sessions of given) look(sessions)
  return nothing
}

/** Docker signals the first process of a container: us, or an init that passes it on. A shell into one is neither. */
const askedByDocker = (): boolean => (process.pid === 1 || process.ppid === 1) && existsSync("/.dockerenv")
