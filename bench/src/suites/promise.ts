import { manyKeys, Traffic } from "../fixture.ts"
import { bothRegimes, type Suite } from "../harness.ts"
import * as warm from "../works/promise.ts"

export const suite: Suite = {
  title: "A warm run, Promise face: 100 sessions, one call after the other",
  run: async (config) => {
    const live = manyKeys(100)
    const make = (cases: ReadonlyArray<(traffic: Traffic) => Promise<warm.WarmWork>>) =>
      Promise.all(cases.map((one) => one(Traffic.roundRobin(live))))
    const peers = await make([
      warm.handChain,
      warm.sojourn,
      warm.managedRuntime,
      warm.rcMap,
      warm.lruCache,
      warm.genericPool,
      warm.pQueue,
    ])
    const variants = await make([
      warm.handChain,
      warm.handChainSync,
      warm.handChainHop,
      warm.sojourn,
      warm.sojournSync,
      warm.sojournHop,
      warm.sojournTimeout,
      warm.managedRuntimeTimeout,
      warm.sojournSignal,
      warm.sojournTaskSignal,
      warm.sojournOwner,
      warm.sojournInStores,
      warm.sojournWatched,
    ])
    const groups = [
      ...(await bothRegimes(
        config,
        {
          id: "promise",
          title: "warm run against peers",
          against: ["by hand: Map + chain", "RcMap.get + run", "ManagedRuntime.runPromise"],
          notes: ["lru-cache keeps no order; ManagedRuntime has no keys"],
        },
        peers,
      )),
      ...(await bothRegimes(
        config,
        {
          id: "variants",
          title: "ways to call a warm run",
          against: ["sojourn", "by hand, sync task", "by hand, task with one hop"],
          notes: [
            "there is no switch that turns monitoring off, so on against off is not measured;",
            "the turn with one hop against the same by hand holds everything that sojourn adds, monitoring included",
          ],
        },
        variants,
      )),
    ]
    for (const one of [...peers, ...variants]) await one.close()
    return groups
  },
}
