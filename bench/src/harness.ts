/**
 * Measures several cases against each other: in rounds, in one process, each round in another order. Only what was
 * measured in one round is compared. Every batch is checked; a wrong result is an error, a slow one never is.
 *
 * Import this module first: it holds the clean async context in which every batch starts.
 */
import { AsyncResource } from "node:async_hooks"
import { setImmediate as nextMacrotask } from "node:timers/promises"
import { randomIntegers, shuffled } from "./random.ts"
import { differences, ratios, sizeByTime, summarize, type Summary } from "./statistics.ts"

export interface Config {
  readonly quick: boolean
  readonly rounds: number
  /** How long a batch in the regime "stream" lasts. Long enough for several collections, or they are not in the figure. */
  readonly batchMs: number
  readonly warmUpMs: number
  readonly progress: (text: string) => void
}

export const configOf = (options: {
  readonly quick: boolean
  readonly rounds?: number | undefined
  readonly progress?: ((text: string) => void) | undefined
}): Config => ({
  quick: options.quick,
  rounds: options.rounds ?? (options.quick ? 5 : 31),
  batchMs: options.quick ? 4 : 25,
  warmUpMs: options.quick ? 20 : 150,
  progress: options.progress ?? (() => {}),
})

/** A task did not run, ran twice, gave the wrong value or came out of order: the figures would be of something else. */
export class WrongResult extends Error {
  override readonly name = "WrongResult"
}

export const expectSame = (what: string, is: unknown, wanted: unknown): void => {
  if (!Object.is(is, wanted)) throw new WrongResult(`${what}: ${String(is)} instead of ${String(wanted)}`)
}

/** One case: something that can be done `count` times in a row. */
export interface Work {
  readonly name: string
  /** Not timed, before each batch. */
  readonly prepare?: (count: number) => unknown
  /** Timed. Resolves to the sum of all results, so that none can be optimised away or be wrong unseen. */
  readonly batch: (count: number) => Promise<number>
  /** What `count` right results sum up to. */
  readonly expected: (count: number) => number
  /** Turns the resources have seen so far: must grow by one per operation. */
  readonly turns?: () => number
  /** Not timed, after each batch. */
  readonly settle?: (count: number) => unknown
  /** Operations that one count of `batch` stands for. 1 when left out. */
  readonly scale?: number
  /** An upper limit for `count`, where every operation leaves something behind until `settle`. */
  readonly most?: number
}

/** What the rounds are made of: each sample is one value in the group's unit. */
export interface Sampler {
  readonly name: string
  readonly warmUp?: () => Promise<void>
  readonly sample: () => Promise<number>
}

export interface Plan {
  readonly id: string
  readonly title: string
  readonly unit: Unit
  /** Names of the cases that all others are divided by: the columns of the table. */
  readonly against: ReadonlyArray<string>
  readonly samplers: ReadonlyArray<Sampler>
  readonly rounds?: number
  readonly notes?: ReadonlyArray<string>
}

export type Unit = "ns" | "ms" | "B"

export interface CaseResult {
  readonly name: string
  readonly value: Summary
  readonly ratios: { readonly [base: string]: Summary }
  /** The value of each round, for whoever wants to compute something else. */
  readonly rounds: ReadonlyArray<number>
}

export interface Group {
  readonly id: string
  readonly title: string
  readonly unit: Unit
  readonly against: ReadonlyArray<string>
  readonly cases: ReadonlyArray<CaseResult>
  readonly notes: ReadonlyArray<string>
}

export interface Suite {
  readonly title: string
  /** Flags for the process of this suite, besides those of all. */
  readonly nodeOptions?: ReadonlyArray<string>
  readonly run: (config: Config) => Promise<ReadonlyArray<Group>>
}

// One `als.run` anywhere leaves its key in the frame of the flow it was called in, and every later frame is a copy of that
// one. A batch therefore starts in the frame this module was loaded in, whatever the batch before it has done.
const clean = new AsyncResource("BenchBatch", { requireManualDestroy: true })

type Collect = (options?: { readonly type: "minor" | "major" }) => void
const collect: Collect = (globalThis as { readonly gc?: Collect }).gc ?? (() => {})
const collectMinor = (): void => collect({ type: "minor" })
export const collectAll = (): void => {
  // The second finds what the finalizers and weak references of the first let go.
  for (let i = 0; i < 3; i++) collect({ type: "major" })
}

/** One checked batch, in milliseconds. */
export const timed = async (work: Work, count: number): Promise<number> => {
  await clean.runInAsyncScope(() => work.prepare?.(count))
  const turns = work.turns?.() ?? 0
  collectMinor()
  const start = performance.now()
  const sum = await clean.runInAsyncScope(work.batch, work, count)
  // Whoever put work off to the next round of the event loop pays for it here, not in the next case's batch.
  await nextMacrotask()
  const took = performance.now() - start
  expectSame(`${work.name}: sum of ${count} results`, sum, work.expected(count))
  if (work.turns !== undefined) {
    expectSame(`${work.name}: turns seen by the resources`, work.turns() - turns, count * (work.scale ?? 1))
  }
  await clean.runInAsyncScope(() => work.settle?.(count))
  return took
}

/**
 * `hot`: short batches that start right after a collection; the cost without the collector's.
 * `stream`: batches by time, collections included; what a server sees. Medians hide collections, so look at both.
 */
export type Regime = "hot" | "stream"

const hotCount = 2000
const nanoseconds = 1e6

/** Makes rounds of a case: nanoseconds per operation. */
export const throughput = (config: Config, regime: Regime, work: Work): Sampler => {
  let count = 1
  let runUp = 1
  return {
    name: work.name,
    warmUp: async () => {
      // Doubled until it fills the budget: the first calls run in the interpreter and say nothing about the size.
      const end = performance.now() + config.warmUpMs
      const most = work.most ?? 1_000_000
      let took = await timed(work, count)
      while (performance.now() < end || took < config.batchMs / 4) {
        if (took < config.batchMs / 2) count = Math.min(count * 2, most)
        took = await timed(work, count)
        if (count === most) break
      }
      count = sizeByTime(count, took, config.batchMs, most)
      runUp = Math.max(1, Math.round(count / 2))
      if (regime === "hot") count = Math.min(Math.max(1, Math.round(hotCount / (work.scale ?? 1))), most)
    },
    sample: async () => {
      // A run-up, not counted: while other cases ran, this one's code was thrown out of the caches, and what the compiler
      // had made of it, too, if a collection found none of its objects alive.
      await timed(work, runUp)
      return ((await timed(work, count)) * nanoseconds) / (count * (work.scale ?? 1))
    },
  }
}

/** Runs all rounds of a plan. */
export const measure = async (config: Config, plan: Plan): Promise<Group> => {
  const rounds = plan.rounds ?? config.rounds
  const random = randomIntegers(rounds)
  const values = new Map<string, Array<number>>()
  for (const sampler of plan.samplers) {
    if (values.has(sampler.name)) throw new Error(`${plan.id}: two cases are called ${sampler.name}`)
    values.set(sampler.name, [])
  }
  config.progress(`${plan.id}: ${plan.samplers.length} cases, warming up`)
  // All are warmed up before any is measured, and then again: what the last one teaches the compiler about shared code
  // makes it throw away what it had compiled for the first one.
  for (let pass = 1; pass <= 2; pass++) {
    for (const sampler of plan.samplers) await sampler.warmUp?.()
  }
  for (const sampler of shuffled(plan.samplers, random))
    if (sampler.warmUp !== undefined) await sampler.sample()
  for (let round = 1; round <= rounds; round++) {
    config.progress(`${plan.id}: round ${round} of ${rounds}`)
    for (const sampler of shuffled(plan.samplers, random)) {
      values.get(sampler.name)?.push(await sampler.sample())
      await nextMacrotask()
    }
  }
  return groupOf(plan, values)
}

/** What the rounds gave, set against each other. */
export const groupOf = (
  plan: Pick<Plan, "id" | "title" | "unit" | "against" | "notes">,
  values: ReadonlyMap<string, ReadonlyArray<number>>,
): Group => {
  const bases = plan.against.map((name) => {
    const base = values.get(name)
    if (base === undefined) throw new Error(`${plan.id}: no case is called ${name}`)
    return [name, base] as const
  })
  const cases = Array.from(values, ([name, own]) => ({
    name,
    value: summarize(own),
    ratios: Object.fromEntries(
      bases.filter(([base]) => base !== name).map(([base, other]) => [base, summarize(ratios(own, other))]),
    ),
    rounds: own,
  }))
  return {
    id: plan.id,
    title: plan.title,
    unit: plan.unit,
    against: plan.against,
    cases,
    notes: plan.notes ?? [],
  }
}

const caseOf = (group: Group, name: string): CaseResult => {
  const found = group.cases.find((one) => one.name === name)
  if (found === undefined) throw new Error(`${group.id}: no case is called ${name}`)
  return found
}

/** `name` over `base`, computed per round: works for any two cases of a group, not only for its columns. */
export const ratioOf = (group: Group, name: string, base: string): Summary =>
  summarize(ratios(caseOf(group, name).rounds, caseOf(group, base).rounds))

export const differenceOf = (group: Group, name: string, base: string): Summary =>
  summarize(differences(caseOf(group, name).rounds, caseOf(group, base).rounds))

export const valueOf = (group: Group, name: string): Summary => caseOf(group, name).value

/** The same cases in both regimes. */
export const bothRegimes = async (
  config: Config,
  plan: Pick<Plan, "id" | "title" | "against" | "notes">,
  works: ReadonlyArray<Work>,
): Promise<ReadonlyArray<Group>> => {
  const groups: Array<Group> = []
  for (const regime of ["hot", "stream"] as const) {
    groups.push(
      await measure(config, {
        ...plan,
        id: `${plan.id}/${regime}`,
        title: `${plan.title} (${regime})`,
        unit: "ns",
        samplers: works.map((work) => throughput(config, regime, work)),
      }),
    )
  }
  return groups
}
