/**
 * A process and what belongs to it: its whole group when it leads one, else what descends from it, as far as that can be
 * found. Numbers are used again, so nothing is signalled that is not known to be meant: a process by its start time, or
 * because its parent, who is us, has not taken note of its end; a group because its number is free only when it is empty.
 */
import { processes, lookUp } from "./processTable.ts"

export class Family {
  readonly pid: number
  /** It leads a group, which is signalled as a whole. */
  readonly leads: boolean
  /** Undefined: nothing can be found out about processes here. */
  readonly start: string | undefined
  /** Our own child, of whose end Node has not told yet: until then its number is its own. */
  readonly #isHeld: () => boolean
  /** What was found to descend from one that leads no group: start times by number. */
  readonly #descendants = new Map<number, string>()
  /** Once nothing was left of it, the numbers are another's. */
  #gone: boolean

  constructor(
    {
      pid,
      leads,
      start,
    }: { readonly pid: number; readonly leads: boolean; readonly start: string | undefined },
    isHeld: () => boolean = () => false,
  ) {
    this.pid = pid
    this.leads = leads
    this.start = start
    this.#isHeld = isHeld
    // Of 1, everything descends; 0 and -1 stand for many.
    this.#gone = !(pid > 1)
  }

  /** Is nothing left of it? What has ended and only waits for a parent to take note is not left. */
  async isGone(): Promise<boolean> {
    if (!this.#gone) this.#gone = !(await this.#isLeft())
    return this.#gone
  }

  async signal(name: NodeJS.Signals): Promise<void> {
    if (await this.isGone()) return
    if (this.leads) {
      if (this.#isGroupOurs()) send(-this.pid, name)
      return
    }
    await this.#gather()
    if (this.#isRunning()) send(this.pid, name)
    for (const [pid, start] of this.#descendants) if (runs(pid, start)) send(pid, name)
  }

  /** Who descends from one that leads no group can be found only while those between live: so before it is asked to end. */
  async gather(): Promise<void> {
    if (!this.leads && !this.#gone) await this.#gather()
  }

  async #isLeft(): Promise<boolean> {
    if (this.#isRunning()) return true
    if (!this.leads) return [...this.#descendants].some(([pid, start]) => runs(pid, start))
    if (!send(-this.pid, 0)) return false
    // Some container's first process never takes note of ended ones: those would fill the group for ever.
    const table = await processes()
    const reused = table.some((one) => one.pid === this.pid && one.start !== this.start)
    return !reused && table.some((one) => one.group === this.pid && !one.zombie)
  }
  #isRunning(): boolean {
    return this.#isHeld() || (this.start !== undefined && runs(this.pid, this.start))
  }
  #isGroupOurs(): boolean {
    if (this.#isHeld()) return true
    const leader = lookUp(this.pid)
    return leader === undefined || leader.start === this.start
  }

  async #gather(): Promise<void> {
    const table = await processes()
    const known = new Set<number>(this.#isRunning() ? [this.pid] : [])
    for (const { pid, start } of table) if (this.#descendants.get(pid) === start) known.add(pid)
    for (let before = -1; before < known.size;) {
      before = known.size
      for (const { pid, parent, start, zombie } of table) {
        if (zombie || known.has(pid) || !known.has(parent)) continue
        known.add(pid)
        this.#descendants.set(pid, start)
      }
    }
  }
}

const runs = (pid: number, start: string): boolean => {
  if (!send(pid, 0)) return false
  const entry = lookUp(pid)
  return entry !== undefined && entry.start === start && !entry.zombie
}

/** False when there is nobody to receive it. Signal 0 only asks. */
const send = (pid: number, signal: NodeJS.Signals | 0): boolean => {
  // -1 is every process there is, and 0 is our own group.
  if (!(Math.abs(pid) > 1)) return false
  try {
    return process.kill(pid, signal)
  } catch (error) {
    // There, but not ours to signal: it has taken on another user's rights.
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}
