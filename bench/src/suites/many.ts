/** A warm run among few and among very many sessions, on random keys, against a chain by hand at the same number. */
import { manyKeys, Traffic } from "../fixture.ts"
import { collectAll, type Group, measure, type Suite, throughput } from "../harness.ts"
import * as warm from "../works/promise.ts"

export const numbers = (quick: boolean): ReadonlyArray<number> =>
  quick ? [100, 10_000] : [100, 1000, 10_000, 100_000]

export const suite: Suite = {
  title: "A warm run among many live sessions, random keys",
  run: async (config) => {
    const groups: Array<Group> = []
    for (const number of numbers(config.quick)) {
      const live = manyKeys(number)
      const works = [
        await warm.handChain(Traffic.random(live)),
        await warm.sojourn(Traffic.random(live)),
        // At 100 000 the peer alone would need a third of a gigabyte, and more time than the rest of the suite.
        ...(number <= 10_000 ? [await warm.rcMap(Traffic.random(live))] : []),
      ]
      collectAll()
      groups.push(
        await measure(config, {
          id: `many/${number}`,
          title: `warm run on a random key of ${number}`,
          unit: "ns",
          against: ["by hand: Map + chain"],
          samplers: works.map((work) => throughput(config, "stream", work)),
        }),
      )
      for (const work of works) await work.close()
    }
    return groups
  },
}
