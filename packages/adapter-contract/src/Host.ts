import type { Server } from "node:http"
import type { Fixture } from "./fixture.ts"

/** An adapter under test: it builds the application of the fixture with nothing but its own public functions. */
export interface Host {
  readonly name: string
  /** `mount`: the path in front of every route; empty at the root. Listens on 127.0.0.1. */
  readonly start: (fixture: Fixture, mount: string) => Promise<Started>
}

export interface Started {
  readonly server: Server
  /** After it nothing of the host listens or runs. */
  readonly teardown: () => Promise<void>
}
