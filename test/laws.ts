interface Law {
  readonly id: string
  readonly title: string
}

/** What Sojourn promises, one line each. Tests cite a law by its id, in their titles. */
export const laws: ReadonlyArray<Law> = [
  { id: "L1", title: "one runtime per key: racing first users share a single open" },
  { id: "L2", title: "there is one way in, and all work is tracked to its end" },
  { id: "L3", title: "two generations of one key are never in service together" },
  { id: "L4", title: "everything acquired is released once, last first, within a bound" },
  { id: "L5", title: "every task gets exactly one outcome, and it is the true one" },
  { id: "L6", title: "turns keep their order and policy, and do not overlap beyond it" },
  {
    id: "L7",
    title: "a call that would wait for itself is refused, through sessions and registries alike",
  },
  { id: "L8", title: "a session lives while it is used; idle time counts from the last use" },
  { id: "L9", title: "one ladder decides who gets a seat" },
  { id: "L10", title: "a failed open is told to all who wait, forgotten, and backed off" },
  {
    id: "L11",
    title: "a broken resource is noticed, replaced, and quarantined when it keeps breaking",
  },
  { id: "L12", title: "a task that has started is never run again, unless its caller says that it may be" },
  { id: "L13", title: "what hangs is abandoned, and its key goes on" },
  { id: "L14", title: "drain finishes what it can, reports what it did, and always ends" },
  { id: "L15", title: "hooks fire once for each generation, in order" },
  { id: "L16", title: "watching costs bounded memory and never disturbs a session" },
  { id: "L17", title: "every failure of ours is a typed error that carries data" },
  {
    id: "L18",
    title: "explain says why a session lives, why it ended and why a request waits",
  },
  { id: "L19", title: "no state, context or service of one session reaches another" },
  { id: "L20", title: "each change of state is one synchronous step" },
  { id: "L21", title: "what left service changes nothing any more" },
  { id: "L22", title: "a nested call ends when its caller is told to end" },
  { id: "L23", title: "durations are monotonic, and silence is counted in loop time" },
  { id: "L24", title: "close ends the session, restart only replaces its resource" },
  { id: "L25", title: "snapshots are taken in good order and written by compare-and-set" },
  { id: "L26", title: "what is remembered of a key that is gone is bounded and expires" },
]
