import { describe } from "vitest"
import { serveWith } from "./App.ts"
import { bodies } from "./battery/bodies.ts"
import { draining } from "./battery/draining.ts"
import { events } from "./battery/events.ts"
import { keys } from "./battery/keys.ts"
import { load } from "./battery/load.ts"
import { presence } from "./battery/presence.ts"
import { refusals } from "./battery/refusals.ts"
import { sessions } from "./battery/sessions.ts"
import { visitors } from "./battery/visitors.ts"
import type { Host } from "./Host.ts"

const parts = { sessions, keys, visitors, refusals, presence, events, bodies, draining, load }

/** The whole battery, at the root and under a mount path. */
export const describeHost = (host: Host): void => {
  for (const mount of ["", "/apps/one"]) {
    const serve = serveWith(host, mount)
    for (const [name, part] of Object.entries(parts)) {
      describe(`${host.name} ${mount === "" ? "at the root" : `under ${mount}`}: ${name}`, () => {
        part(serve)
      })
    }
  }
}
