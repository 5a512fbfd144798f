/** One for each session: it remembers what was said there. */
import { Context, Effect, Layer } from "effect"
import { Models } from "./Models.ts"

export class Agent extends Context.Service<
  Agent,
  { readonly ask: (question: string) => Effect.Effect<string> }
>()("app/Agent") {
  static readonly layer = Layer.effect(
    Agent,
    Effect.gen(function* () {
      const models = yield* Models
      const said: Array<string> = []
      return {
        ask: (question) =>
          Effect.suspend(() => {
            said.push(question)
            return models.complete(said)
          }),
      }
    }),
  )
}
