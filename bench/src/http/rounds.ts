/** Rounds in which each case is taken twice, in one order and then in the reverse one: what drifts evenly cancels out. */
import type { Config } from "../harness.ts"
import { randomIntegers, shuffled } from "../random.ts"

export interface Subject<Figure extends string> {
  readonly name: string
  readonly sample: () => Promise<Readonly<Record<Figure, number>>>
}

/** Of each figure, the values of each case: one a round, the mean of its two. */
export const mirroredRounds = async <Figure extends string>(
  config: Config,
  id: string,
  figures: ReadonlyArray<Figure>,
  subjects: ReadonlyArray<Subject<Figure>>,
): Promise<Readonly<Record<Figure, ReadonlyMap<string, ReadonlyArray<number>>>>> => {
  const random = randomIntegers(config.rounds)
  const values = figures.map((figure) => ({
    figure,
    of: new Map(subjects.map(({ name }): [string, Array<number>] => [name, []])),
  }))
  config.progress(`${id}: ${subjects.length} cases, warming up`)
  // A server has compiled what it runs only after some ten thousand requests.
  for (let pass = 1; pass <= (config.quick ? 3 : 10); pass++)
    for (const subject of subjects) await subject.sample()
  for (let round = 1; round <= config.rounds; round++) {
    config.progress(`${id}: round ${round} of ${config.rounds}`)
    const order = shuffled(subjects, random)
    const sampled = new Map(
      order.map((subject) => [subject.name, new Array<Readonly<Record<Figure, number>>>()]),
    )
    for (const subject of [...order, ...order.toReversed()])
      sampled.get(subject.name)?.push(await subject.sample())
    for (const { figure, of } of values)
      for (const [name, [there, back]] of sampled)
        if (there !== undefined && back !== undefined) of.get(name)?.push((there[figure] + back[figure]) / 2)
  }
  return Object.fromEntries(values.map(({ figure, of }) => [figure, of])) as never
}
