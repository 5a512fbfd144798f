/** Ours, Effect face. Each case has a class of its own, since its resources are counted in a ledger of its own. */
import { type Policy, Sessions } from "@sojourn/core"
import type { Ledger } from "../fixture.ts"
import { layerOf } from "./effects.ts"
import { manySessions } from "./sojourn.ts"

export const makeService = (ledger: Ledger, policy: Policy = {}) =>
  class Service extends Sessions.Service<Service>()("@sojourn/bench/Sessions", {
    layer: ({ id }) => layerOf(ledger, id),
    ...manySessions,
    ...policy,
  }) {}
