import type { AddressInfo } from "node:net"
import { expect, onTestFinished } from "vitest"
import { makeFixture, type FixtureOptions, type MadeFixture } from "./fixture.ts"
import type { Host, Started } from "./Host.ts"

/** The application of one test, served until the test ends. */
export interface App extends MadeFixture {
  /** With the mount. */
  readonly url: string
  readonly server: Started["server"]
  readonly request: (path: string, init?: RequestInit) => Promise<Response>
}
export type Serve = (options?: FixtureOptions) => Promise<App>

/** Whatever a test did: when its clients are gone, nothing runs or waits, and everything that was opened can be closed. */
export const serveWith =
  (host: Host, mount: string): Serve =>
  async (options = {}) => {
    const fixture = makeFixture(options)
    const { server, teardown } = await host.start(fixture, mount)
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${mount}`
    onTestFinished(async () => {
      server.closeAllConnections()
      await teardown()
      for (const sessions of [fixture.sessions, fixture.others]) {
        const { leaked } = await sessions.drain({ finishWithin: 0 })
        expect(leaked).toEqual([])
        expect(sessions.snapshot()).toMatchObject({ phase: "drained", sessions: [] })
      }
    })
    return { ...fixture, url, server, request: (path, init) => fetch(url + path, init) }
  }
