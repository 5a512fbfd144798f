/** One process, as Linux and as `ps` describe it. */

export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  readonly group: number
  /** Ended, and not yet taken note of by its parent. */
  readonly zombie: boolean
  /** Together with the number it means one process: numbers are used again. Text without blanks, to be compared only. */
  readonly start: string
}

/** The text of `/proc/<pid>/stat`. The name in brackets may hold blanks and brackets: what follows the last one counts. */
export const parseStat = (text: string): ProcessEntry | undefined => {
  const pid = Number.parseInt(text, 10)
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
  // The third field of the file is the first one here; the start time is the 22nd.
  const [state, parent, group] = fields
  return entryOf(pid, Number(parent), Number(group), state, fields[19])
}

/** A line of `ps -o pid=,ppid=,pgid=,stat=,lstart=`. */
export const parsePs = (line: string): ProcessEntry | undefined => {
  const [pid, parent, group, state, ...start] = line.trim().split(/\s+/)
  return entryOf(Number(pid), Number(parent), Number(group), state, start.join("_"))
}

const entryOf = (
  pid: number,
  parent: number,
  group: number,
  state: string | undefined,
  start: string | undefined,
): ProcessEntry | undefined => {
  if (!(pid > 0) || !(parent >= 0) || !(group >= 0) || start === undefined || start === "") return undefined
  return {
    pid,
    parent,
    group,
    zombie: state?.startsWith("Z") === true || state?.startsWith("X") === true,
    start,
  }
}
