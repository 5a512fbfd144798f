/** What this product replaces: everything made and thrown away in each request, against a session that is kept. */
import * as Effect from "effect/Effect"
import { asyncTask, Ledger, manyKeys, Traffic } from "../fixture.ts"
import { bothRegimes, expectSame, type Suite, type Work } from "../harness.ts"
import { Held, makeRuntime } from "../peers/effects.ts"
import * as effects from "../works/effect.ts"
import * as promises from "../works/promise.ts"

const runtimePerRequest = (traffic: Traffic): Work => {
  const ledger = new Ledger()
  const turn = Effect.flatMap(Held, (resource) => Effect.promise(() => asyncTask(resource)))
  return {
    name: "a runtime per request",
    prepare: traffic.prepare,
    batch: async () => {
      let sum = 0
      for (const key of traffic.keys) {
        const runtime = makeRuntime(ledger, key)
        sum += await runtime.runPromise(turn)
        await runtime.dispose()
      }
      return sum
    },
    expected: traffic.expected,
    turns: () => ledger.turns,
    settle: () => expectSame("runtimes disposed", ledger.closed, ledger.opened),
  }
}

export const suite: Suite = {
  title: "A runtime per request against a kept session (the resource itself costs nothing here)",
  run: async (config) => {
    const live = manyKeys(100)
    const ours = [
      await promises.sojourn(Traffic.roundRobin(live)),
      await effects.sojournFromPromises(Traffic.roundRobin(live), effects.asyncTasks),
    ]
    const [promiseFace, effectFace] = ["sojourn, Promise face", "sojourn, Effect face"]
    const groups = await bothRegimes(
      config,
      { id: "requests", title: "one request", against: [promiseFace, effectFace] },
      [
        runtimePerRequest(Traffic.roundRobin(live)),
        ...ours.map((work, i) => ({ ...work, name: i === 0 ? promiseFace : effectFace })),
      ],
    )
    for (const one of ours) await one.close()
    return groups
  },
}
