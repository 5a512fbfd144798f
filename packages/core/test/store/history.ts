/**
 * Is there one order of all calls on one key, in which each took effect at one moment between its beginning and its end,
 * that explains every answer? If there is none, something was lost, came back or was refused without reason.
 */
export interface Call {
  readonly began: number
  /** Infinity: it never answered, or failed; it may or may not have taken effect. The last one of its user. */
  readonly ended: number
  readonly what: "load" | "save" | "remove" | "setAside"
  /** load: the state it saw. save: the state it was to replace. setAside: the state it was to move. */
  readonly base?: string | undefined
  /** save: the state. */
  readonly state?: string
  /** save: whether it said that it had saved. */
  readonly saved?: boolean
}

const impossible: unique symbol = Symbol("impossible")

/** What is stored after a call that took effect on `stored`. */
const after = (call: Call, stored: string | undefined): string | undefined | typeof impossible => {
  const { base, ended, saved, state, what } = call
  const applies = stored === base
  switch (what) {
    case "remove":
      return undefined
    case "setAside":
      return applies ? undefined : stored
    case "load":
      return applies || ended === Infinity ? stored : impossible
    case "save":
      if (ended !== Infinity && saved !== applies) return impossible
      return applies ? state : stored
  }
}

/** The calls of each user, one after the other. Undefined if there is such an order, else the calls as text. */
export const unexplained = (users: ReadonlyArray<ReadonlyArray<Call>>): string | undefined =>
  isExplained(users) ? undefined : JSON.stringify(users)

const isExplained = (users: ReadonlyArray<ReadonlyArray<Call>>): boolean => {
  interface Situation {
    /** How many calls of each user have taken effect. */
    readonly done: ReadonlyArray<number>
    readonly stored: string | undefined
  }
  const open: Array<Situation> = [{ done: users.map(() => 0), stored: undefined }]
  const known = new Set<string>()
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { done, stored } = at
    const next = users.map((calls, user) => calls[done[user] ?? 0])
    const firstEnd = Math.min(...next.map((call) => call?.ended ?? Infinity))
    if (firstEnd === Infinity) return true
    for (const [user, call] of next.entries()) {
      if (call === undefined || call.began > firstEnd) continue
      const then = after(call, stored)
      if (then === impossible) continue
      const situation = { done: done.with(user, (done[user] ?? 0) + 1), stored: then }
      const name = `${situation.done.join()}:${then ?? ""}`
      if (known.has(name)) continue
      known.add(name)
      open.push(situation)
    }
  }
  return false
}
