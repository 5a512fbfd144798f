/** Expensive and stateless, so the application has one for all sessions. */
import { Context, Effect, Layer } from "effect"

export class Models extends Context.Service<
  Models,
  { readonly complete: (messages: ReadonlyArray<string>) => Effect.Effect<string> }
>()("app/Models") {
  static readonly layer = Layer.effect(
    Models,
    Effect.acquireRelease(
      Effect.log("models loaded").pipe(
        Effect.as({
          complete: (messages: ReadonlyArray<string>) => Effect.succeed(`reply ${messages.length}`),
        }),
      ),
      () => Effect.log("models released"),
    ),
  )
}
