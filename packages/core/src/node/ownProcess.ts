/** Child processes that end with their session. */
import type { ChildProcess } from "node:child_process"
import { getSystemErrorName } from "node:util"
import { milliseconds, resolveNames } from "../options.ts"
import type { Options, Time } from "../SessionOptions.ts"
import type { Opening } from "../Sessions.ts"
import { Family } from "./ownProcess/Family.ts"
import { disown, own } from "./ownProcess/household.ts"
import { endFamily } from "./ownProcess/ladder.ts"
import { lookUp } from "./ownProcess/processTable.ts"

export type OwnProcess = Options<{
  /**
   * The time it has for its end, from the close of its session: asked at once (IPC disconnected, a piped stdin ended),
   * SIGTERM after a tenth, half a second at most (at once if there was no way to ask), SIGKILL after four fifths. 5
   * seconds, which is what a finalizer has of `timeouts.close`; 0: nothing is waited for.
   */
  readonly killAfter: Time
}>

/**
 * Owns a child process: it ends with its session, and its exit, however clean, means that the session is broken. Call it
 * as soon as the child is started; on a generation that is over the child's end begins at once.
 *
 * A child started with `detached: true` leads a process group, and all of it is owned: SIGTERM and SIGKILL go to the
 * group, and the session is closed when the group is empty. Without, what descends from the child is found when the
 * session closes; if the child exits by itself, what it leaves behind is not found any more.
 *
 * If this process dies first, by SIGKILL too, a watchdog (one `sh`, shared by all children) sends SIGTERM and 2 seconds
 * later SIGKILL; if that dies as well, the next process of this user to call `ownProcess` does. Not on Windows, nor where
 * there is no `sh`; nor for a child that was ended and whose number belongs to another process now.
 *
 * Not for a process that should outlive its session. It reads and writes none of the child's streams, except that a piped
 * stdin is ended.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const ownProcess = (session: Opening, child: ChildProcess, options: OwnProcess = {}): void => {
  resolveNames(options, ["killAfter"])
  const killAfter = milliseconds("killAfter", options.killAfter, 5000)

  child.on("error", (error) => session.broken(error))
  const { pid } = child
  if (pid === undefined) return session.broken(notStarted(child))
  if (hasExited(child)) return session.broken(exitOf(child, pid))

  const entry = lookUp(pid)
  const family = new Family(
    { pid, leads: entry?.group === pid, start: entry?.start },
    // Until then the kernel keeps its number for us.
    () => !hasExited(child),
  )
  own(family)

  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  let ending: Promise<void> | undefined
  const end = (): Promise<void> =>
    (ending ??= endFamily(family, { ask: () => ask(child), exited, killAfter, keepsAlive: true }).then(() =>
      disown(family),
    ))
  child.once("exit", () => {
    session.broken(exitOf(child, pid))
    // What is left of its group is known to be its own now, and may not be later.
    void end()
  })
  session.onClose(end)
}

const hasExited = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null

/** Most programs that are talked to end when there is nobody left to talk to. */
const ask = (child: ChildProcess): boolean => {
  if (hasExited(child)) return false
  let asked = false
  if (child.connected) {
    child.disconnect()
    asked = true
  }
  if (child.stdin !== null && !child.stdin.destroyed) {
    // It may be gone before it has read all: that is no longer of interest to anybody.
    child.stdin.on("error", () => {})
    child.stdin.end()
    asked = true
  }
  return asked
}

const exitOf = ({ exitCode, signalCode, spawnfile }: ChildProcess, pid: number): Error =>
  new Error(
    `The child process ${pid} (${spawnfile}) ${signalCode === null ? `exited with code ${exitCode}` : `was ended by ${signalCode}`}.`,
  )

/** Node says why in an event that comes in the next tick, or came before; an open may have failed by then. */
const notStarted = (child: ChildProcess): Error => {
  const { exitCode, spawnfile } = child
  const error = new Error(
    `The child process (${spawnfile}) could not be started: not found, not to be executed, or one too many.`,
  )
  if (exitCode !== null && exitCode < 0) error.cause = getSystemErrorName(exitCode)
  else
    child.once("error", (cause) => {
      error.cause = cause
    })
  return error
}
