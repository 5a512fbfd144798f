// The package's root entry would load a Redis client; this one does not.
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer } from "effect"
import { Models } from "./Models.ts"
import { program, Workspaces } from "./workspaces.ts"

NodeRuntime.runMain(
  program.pipe(
    Effect.tap((rows) => Console.log(rows)),
    Effect.provide(Workspaces.layer.pipe(Layer.provide(Models.layer))),
  ),
)
