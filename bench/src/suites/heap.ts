/** Heap per idle session beyond its resource and its key. A fresh process per case and round: heaps do not forget. */
import { inFreshProcess } from "../freshProcess.ts"
import { heapCases } from "../heapCases.ts"
import { measure, type Suite } from "../harness.ts"

export const suite: Suite = {
  title: "Heap per idle session, beyond its resource and its key",
  run: async (config) => {
    const number = config.quick ? 5000 : 30_000
    return [
      await measure(config, {
        id: "heap",
        title: `heap per idle session, ${number} of them, each after one task`,
        unit: "B",
        against: ["by hand: Map + chain", "Layer.build alone", "RcMap, infinite TTL"],
        samplers: Object.keys(heapCases).map((name) => ({
          name,
          sample: async () => Number(await inFreshProcess({ kind: "heap", name, number })),
        })),
        rounds: config.quick ? 1 : 3,
      }),
    ]
  },
}
