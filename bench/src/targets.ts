/**
 * What this product promises about its speed, as data. Only what can be measured here; the rows about isolated sessions,
 * the synchronous bridge and the command line belong to their own packages.
 */
import { differenceOf, type Group, ratioOf, valueOf } from "./harness.ts"

/** Where a figure comes from: a case over another, a case alone, or a case minus another. */
type Figure = { readonly group: string } & (
  | { readonly ratio: readonly [name: string, base: string] }
  | { readonly value: string }
  | { readonly difference: readonly [name: string, base: string] }
)

export interface Target {
  readonly row: string
  readonly must: "<=" | ">="
  readonly limit: number
  readonly unit: "x" | "B" | "ms" | "ns"
  /** Wished for, not promised. */
  readonly aim?: true
  /** The worst of these counts. */
  readonly from: ReadonlyArray<Figure>
}

const inBothRegimes = (id: string, name: string, base: string): ReadonlyArray<Figure> =>
  ["hot", "stream"].map((regime) => ({ group: `${id}/${regime}`, ratio: [name, base] }))

const chain = "by hand: Map + chain"

const targets: ReadonlyArray<Target> = [
  {
    row: "warm run, Promise face / RcMap",
    must: "<=",
    limit: 0.5,
    unit: "x",
    from: inBothRegimes("promise", "sojourn", "RcMap.get + run"),
  },
  {
    row: "warm run, Promise face / ManagedRuntime",
    must: "<=",
    limit: 0.75,
    unit: "x",
    from: inBothRegimes("promise", "sojourn", "ManagedRuntime.runPromise"),
  },
  {
    row: "warm run, Promise face / Map + chain by hand",
    must: "<=",
    limit: 3,
    unit: "x",
    aim: true,
    from: inBothRegimes("promise", "sojourn", chain),
  },
  {
    row: "warm run, Effect face in a fiber / RcMap",
    must: "<=",
    limit: 1,
    unit: "x",
    from: inBothRegimes("effect/fiber/async", "sojourn", "RcMap.get + provide"),
  },
  {
    row: "warm run, Effect face from promises / ManagedRuntime",
    must: "<=",
    limit: 1.25,
    unit: "x",
    from: inBothRegimes("effect/promises/async", "sojourn", "ManagedRuntime.runPromise"),
  },
  {
    row: "bytes allocated per warm run",
    must: "<=",
    limit: 2000,
    unit: "B",
    from: [{ group: "bytes/promise", value: "sojourn" }],
  },
  {
    // Stricter than the promise, which is about monitoring alone: it cannot be switched off, so this is everything.
    row: "turn with one event-loop hop / the same by hand",
    must: "<=",
    limit: 1.2,
    unit: "x",
    aim: true,
    from: inBothRegimes("variants", "sojourn, task with one hop", "by hand, task with one hop"),
  },
  {
    row: "a runtime per request / Promise face",
    must: ">=",
    limit: 15,
    unit: "x",
    from: inBothRegimes("requests", "a runtime per request", "sojourn, Promise face"),
  },
  {
    row: "a runtime per request / Effect face",
    must: ">=",
    limit: 5,
    unit: "x",
    from: inBothRegimes("requests", "a runtime per request", "sojourn, Effect face"),
  },
  {
    row: "heap per idle session, Promise face, one onClose",
    must: "<=",
    limit: 400,
    unit: "B",
    from: [{ group: "heap", value: "sojourn, Promise face, one onClose" }],
  },
  {
    row: "heap per idle session, Effect face, beyond Layer.build",
    must: "<=",
    limit: 512,
    unit: "B",
    from: [{ group: "heap", difference: ["sojourn, Effect face, one service", "Layer.build alone"] }],
  },
  ...[100, 1000, 10_000, 100_000].flatMap((number): ReadonlyArray<Target> => {
    const row = {
      row: `run among ${number} sessions / Map + chain by hand`,
      must: "<=",
      unit: "x",
      from: [{ group: `many/${number}`, ratio: ["sojourn", chain] }],
    } as const
    return [
      { ...row, limit: 3 },
      { ...row, limit: 2, aim: true },
    ]
  }),
  {
    row: "sweep of idle sessions: slice, p99",
    must: "<=",
    limit: 1,
    unit: "ms",
    from: [{ group: "sweep", value: "sojourn: slice, p99" }],
  },
  {
    row: "sweep of idle sessions: longest pause above an empty loop",
    must: "<=",
    limit: 5,
    unit: "ms",
    from: [{ group: "sweep", difference: ["sojourn: longest gap", "sojourn: longest gap of an empty loop"] }],
  },
  {
    row: "drain of 1000 sessions with finalizers of 100 ms",
    must: "<=",
    limit: 150,
    unit: "ms",
    from: ["sojourn, Promise face", "sojourn, Effect face"].map((value) => ({ group: "drain", value })),
  },
  {
    row: "a warm run that is counted, beyond one that is not",
    must: "<=",
    limit: 150,
    unit: "ns",
    from: ["hot", "stream"].map((regime) => ({
      group: `metrics/turn/${regime}`,
      difference: ["sojourn", "sojourn, nothing counted"],
    })),
  },
  {
    row: "heap per live task, for being counted",
    must: "<=",
    limit: 200,
    unit: "B",
    from: [{ group: "metrics/heap", difference: ["a live task", "a live task, nothing counted"] }],
  },
  {
    row: "scrape of 10 kinds and 100 000 sessions",
    must: "<=",
    limit: 10,
    unit: "ms",
    from: [{ group: "metrics/scrape", value: "very many sessions" }],
  },
  {
    row: "the same: longest hold of the loop",
    must: "<=",
    limit: 5,
    unit: "ms",
    from: [{ group: "metrics/scrape", value: "very many sessions: longest hold" }],
  },
  {
    // Of times, so the other way round: what by hand takes over what ours takes is our throughput over that by hand.
    row: "throughput of a trivial Express route / a Map by hand",
    must: ">=",
    limit: 0.9,
    unit: "x",
    from: [{ group: "http/route/perRequest", ratio: ["by hand: Map", "sojourn, owner and id"] }],
  },
]

export interface Verdict extends Omit<Target, "from"> {
  readonly measured: number
  readonly reached: boolean
}

const read = (groups: ReadonlyArray<Group>, figure: Figure): number | undefined => {
  const group = groups.find(({ id }) => id === figure.group)
  if (group === undefined) return undefined
  if ("ratio" in figure) return ratioOf(group, ...figure.ratio).median
  if ("difference" in figure) return differenceOf(group, ...figure.difference).median
  return valueOf(group, figure.value).median
}

/** Only of what was measured: a run of one suite says nothing about the others. */
export const judge = (
  groups: ReadonlyArray<Group>,
  wanted: ReadonlyArray<Target> = targets,
): ReadonlyArray<Verdict> =>
  wanted.flatMap(({ from, ...target }) => {
    const measured = from.map((figure) => read(groups, figure)).filter((value) => value !== undefined)
    if (measured.length === 0) return []
    const atMost = target.must === "<="
    const worst = atMost ? Math.max(...measured) : Math.min(...measured)
    return [{ ...target, measured: worst, reached: atMost ? worst <= target.limit : worst >= target.limit }]
  })
