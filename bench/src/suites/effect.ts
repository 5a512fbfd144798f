import { manyKeys, Traffic } from "../fixture.ts"
import { bothRegimes, type Group, type Suite } from "../harness.ts"
import * as warm from "../works/effect.ts"
import type { WarmWork } from "../works/promise.ts"

export const suite: Suite = {
  title: "A warm run, Effect face: 100 sessions, one call after the other",
  run: async (config) => {
    const live = manyKeys(100)
    const traffic = () => Traffic.roundRobin(live)
    const inFiber = (tasks: warm.Tasks) =>
      Promise.all([
        warm.rcMapInFiber(traffic(), tasks),
        warm.sojournInFiber(traffic(), tasks),
        warm.layerMapInFiber(traffic(), tasks),
      ])
    const fromPromises = (tasks: warm.Tasks) =>
      Promise.all([
        warm.managedRuntime(traffic(), tasks),
        warm.rcMapFromPromises(traffic(), tasks),
        warm.sojournFromPromises(traffic(), tasks),
      ])
    const groups: Array<Group> = []
    const works: Array<WarmWork> = []
    for (const tasks of [warm.asyncTasks, warm.syncTasks]) {
      const [within, outside] = [await inFiber(tasks), await fromPromises(tasks)]
      works.push(...within, ...outside)
      groups.push(
        ...(await bothRegimes(
          config,
          {
            id: `effect/fiber/${tasks.kind}`,
            title: `warm run of ${tasks.title} inside a fiber`,
            against: ["RcMap.get + provide"],
          },
          within,
        )),
        ...(await bothRegimes(
          config,
          {
            id: `effect/promises/${tasks.kind}`,
            title: `warm run of ${tasks.title}, each by runPromise`,
            against: ["ManagedRuntime.runPromise", "RcMap.get + provide"],
            notes: ["ManagedRuntime has no keys; ours goes through the runtime that holds the registry"],
          },
          outside,
        )),
      )
    }
    for (const one of works) await one.close()
    return groups
  },
}
