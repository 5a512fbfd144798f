/** The live stream: what a viewer puts together is what the server saw, and nobody waits for a viewer. */
import fc from "fast-check"
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { applyFrame, type View } from "../src/client.ts"
import { Channel } from "../src/live/Channel.ts"
import { Listed, Whole } from "../src/live/sections.ts"
import { Viewer } from "../src/live/Viewer.ts"
import { ask, deaf, first, hanging, rooms, serve, stream, until } from "./support.ts"

interface Row {
  readonly row: string
  readonly value: number
}
const states = fc.array(
  fc.record({
    rows: fc.uniqueArray(
      fc.record({ row: fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h"), value: fc.nat(2) }),
      {
        selector: ({ row }) => row,
        maxLength: 6,
      },
    ),
    total: fc.nat(3),
    whole: fc.nat(2),
  }),
  { minLength: 1, maxLength: 30 },
)

describe("deltas", () => {
  it("put together are the whole, however many looks a viewer has missed", () => {
    fc.assert(
      fc.property(states, fc.infiniteStream(fc.nat(3)), (all, pauses) => {
        let now = all[0] as (typeof all)[number]
        const channel = new Channel(
          "run",
          1,
          10_000,
          [
            new Listed("sessions", "rows", () => ({
              rows: now.rows.map((row) => [row.row, row] as const),
              fields: { total: now.total, offset: 0, unsearched: 0, facets: { total: now.total } },
            })),
            new Whole("session", () => now.whole),
          ],
          () => 1,
        )
        const viewers = [0, 1, 2].map(() => new Viewer(channel, { seq: -1, event: 0, past: 0 }, () => {}))
        const views: Array<View | undefined> = viewers.map(() => undefined)
        for (const state of all) {
          now = state
          channel.look()
          viewers.forEach((viewer, index) => {
            // One takes every frame, the others as it comes.
            if (index > 0 && pauses.next().value > 0) return
            const text = viewer.take() ?? ""
            const frame = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? "null")
            const view = applyFrame(views[index], frame)
            views[index] = view
            expect(view.sessions).toEqual({
              rows: state.rows,
              total: state.total,
              offset: 0,
              unsearched: 0,
              facets: { total: state.total },
            })
            expect(view.session).toBe(state.whole)
          })
        }
      }),
      { numRuns: 300 },
    )
  })

  it("what has not changed is the same object for who shows it", () => {
    const row = (name: string, value: number): Row => ({ row: name, value })
    const frame = (full: boolean, delta: object) =>
      ({ protocolVersion: 1, run: "r", seq: 1, t: 1, snapshot: 1, full, dropped: 0, delta }) as never
    const facets = {}
    const one = applyFrame(
      undefined,
      frame(true, {
        sessions: {
          total: 2,
          offset: 0,
          unsearched: 0,
          facets,
          rows: [row("a", 1), row("b", 1)],
          order: ["a", "b"],
        },
      }),
    )
    const two = applyFrame(one, frame(false, { sessions: { rows: [row("b", 2)] } }))
    expect(two.sessions?.rows[0]).toBe(one.sessions?.rows[0])
    expect(two.sessions?.facets).toBe(facets)
    const three = applyFrame(two, frame(false, {}))
    expect(three.sessions).toBe(two.sessions)
    const four = applyFrame(three, frame(false, { sessions: { total: 1, rows: [], order: ["b"] } }))
    expect(four.sessions?.rows).toEqual([row("b", 2)])
    // A full frame knows of nothing that was before.
    expect(applyFrame(four, frame(true, {})).sessions).toBeUndefined()
  })
})

describe("over HTTP", () => {
  it("the view after each frame is what a window of that moment has", async () => {
    const a = rooms()
    const { url } = await serve({ sessions: [a] })
    const live = await stream(url, "view=overview,sessions,warnings&sort=-turns&limit=5&everyMs=250")
    let view: View | undefined
    for (let round = 0; round < 6; round++) {
      for (let turn = 0; turn < 8; turn++) await a.run(`s${(round * 3 + turn) % 11}`, () => 1)
      if (round === 4) await a.close("s3")
      const { frame } = await first(live.frames)
      view = applyFrame(view, frame as never)
    }
    // Nothing happens any more: the next frame has the last of it.
    view = applyFrame(view, (await first(live.frames)).frame as never)
    const now = await ask(`${url}/sessions?sort=-turns&limit=5`, "sessions")
    expect(view.sessions).toEqual(now.sessions)
    expect(view.overview).toEqual((await ask(`${url}/overview`, "overview")).kinds)
    expect(view.warnings?.total).toBe(view.warnings?.warnings.length)
  })

  it("a frame in which nothing changed is next to nothing", async () => {
    const a = rooms()
    for (let index = 0; index < 20; index++) await a.run(`s${index}`, () => 1)
    const { url } = await serve({ sessions: [a] })
    const live = await stream(url, "view=overview,sessions&everyMs=250")
    expect((await first(live.frames)).frame.full).toBe(true)
    for (let round = 0; round < 6; round++) {
      const { frame } = await first(live.frames)
      expect(frame).toMatchObject({ full: false, delta: {} })
      expect(Object.keys(frame.delta)).toEqual([])
    }
  })

  it("who comes back goes on where it was; who comes from elsewhere begins anew", async () => {
    const a = rooms()
    await a.run("one", () => 1)
    await a.run("two", () => 1)
    const { url } = await serve({ sessions: [a] })
    const search = "view=sessions&everyMs=250"
    const live = await stream(url, search)
    const before = await first(live.frames)
    live.leave()
    await a.run("two", () => 1)
    const back = await first((await stream(url, search, { "last-event-id": before.id })).frames)
    expect(back.frame.full).toBe(false)
    expect(back.frame.delta.sessions.rows).toHaveLength(1)
    expect(applyFrame(applyFrame(undefined, before.frame as never), back.frame as never).sessions).toEqual(
      (await ask(`${url}/sessions`, "sessions")).sessions,
    )
    for (const id of [
      "",
      "nonsense",
      "x-1.1.1.1",
      before.id.replace(/\.\d+\./, ".999999."),
      `${before.id}\u00e4`,
    ]) {
      const anew = await first((await stream(url, search, { "last-event-id": id })).frames)
      expect(anew.frame.full).toBe(id === `${before.id}\u00e4` ? anew.frame.full : true)
    }
    // Another view is another channel.
    const other = await first((await stream(url, `${search}&limit=1`, { "last-event-id": before.id })).frames)
    expect(other.frame.full).toBe(true)
  })

  it("equal views are one look, whoever many look", async () => {
    const a = rooms()
    const shown = vi.fn<(session: { readonly id: string }) => string>(({ id }) => id)
    await a.run("one", () => 1)
    const { url } = await serve({ sessions: [a], show: shown })
    const lives = await Promise.all(
      Array.from({ length: 10 }, () => stream(url, "view=sessions&everyMs=250")),
    )
    const frames = await Promise.all(
      lives.map(async (live) => {
        await first(live.frames)
        return (await first(live.frames)).frame
      }),
    )
    expect(new Set(frames.map(({ snapshot }) => snapshot)).size).toBeLessThanOrEqual(2)
    expect(shown).toHaveBeenCalledTimes(1)
  })

  it("tells events as they happen, each once, and counts what was dropped", async () => {
    const a = rooms()
    const { url } = await serve({ sessions: [a] })
    const live = await stream(url, `view=events&everyMs=250&kind=${a.name}`)
    await first(live.frames)
    await a.run("one", () => 1, { name: "say" })
    const events: Array<{ n: number; what: string }> = []
    while (!events.some(({ what }) => what === "TaskEnded"))
      events.push(...((await first(live.frames)).frame.delta.events ?? []))
    // What it stood in line for, it was told of as well.
    expect(events.map(({ what }) => what)).toEqual([
      "TaskQueued",
      "Opening",
      "Opened",
      "TaskStarted",
      "TaskEnded",
    ])
    expect(events.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5])
    for (let index = 0; index < 600; index++) await a.run("one", () => 1)
    let got = 0
    let dropped = 0
    while (got + dropped < 1200) {
      const { frame } = await first(live.frames)
      got += frame.delta.events?.length ?? 0
      dropped = frame.dropped
    }
    expect(got + dropped).toBe(1200)
    expect(dropped).toBeGreaterThan(0)
  })

  it("a poll has the same frames as a stream, and goes on from where it was", async () => {
    const a = rooms()
    await a.run("one", () => 1)
    const { url } = await serve({ sessions: [a] })
    const search = "view=overview,sessions,events&everyMs=1000"
    const one = await ask(`${url}/snapshot?${search}`, "snapshot")
    expect(one.full).toBe(true)
    await a.run("one", () => 1)
    await sleep(1000)
    const two = await ask(`${url}/snapshot?${search}&after=${one.id}`, "snapshot")
    expect([two.full, two.delta.sessions.rows.length, two.delta.sessions.order]).toEqual([
      false,
      1,
      undefined,
    ])
    expect(two.delta.events.length).toBeGreaterThan(0)
  })

  it("the stream is for nobody in between to hold back or to keep", async () => {
    const { url } = await serve({ sessions: [rooms()] })
    const { response } = await stream(url, "view=overview")
    expect(response.headers.get("content-type")).toBe("text/event-stream")
    expect(response.headers.get("cache-control")).toBe("no-store, no-transform")
    expect(response.headers.get("x-accel-buffering")).toBe("no")
  })

  it("of a session it shows the whole, and null when nothing is known of it any more", async () => {
    const a = rooms()
    const hang = hanging()
    const work = a.run("one", hang.work, { name: "think" })
    await hang.began
    const { url } = await serve({ sessions: [a] })
    const [row] = (await ask(`${url}/sessions`, "sessions")).sessions.rows
    const live = await stream(url, `view=session,tasks&of=${row.row}&session=${row.row}&everyMs=250`)
    const { frame } = await first(live.frames)
    expect(frame.delta.session.tasks).toHaveLength(1)
    expect(frame.delta.tasks.total).toBe(1)
    hang.end()
    await work
    await a.drain()
    await until(live.frames, ({ frame: later }) => later.delta.session?.session?.state === "Closed")
  })
})

describe("a viewer that does not read", () => {
  /** Every row changes between two looks, and is large: what the sockets hold is soon full. */
  const busyScene = async () => {
    const a = rooms({ maxSessions: 1000 })
    let round = 0
    const use = () => {
      round++
      for (let index = 0; index < 200; index++)
        void a
          .run(`session-${index}`, () => Promise.reject(new Error(`${round} ${"x".repeat(980)}`)))
          .catch(() => {})
    }
    use()
    const churn = setInterval(use, 200)
    onTestFinished(() => clearInterval(churn))
    const { url } = await serve({ sessions: [a] })
    const viewers = async () => ((await (await fetch(`${url}/about`)).json()) as { viewers: number }).viewers
    return { a, url, viewers }
  }

  it(
    "is let go after some seconds, and changes no turn and no other viewer",
    { timeout: 60_000 },
    async () => {
      const { a, url, viewers } = await busyScene()
      const search = "view=overview,sessions,events&limit=200&sort=-turns&everyMs=250"
      const good = await stream(url, search)
      let told = 0
      const reading = (async () => {
        for await (const { frame } of good.frames) told += frame.full ? 0 : 1
      })()
      const socket = await deaf(url, `/stream?${search}`)
      socket.on("error", () => {})
      await vi.waitFor(async () => expect(await viewers()).toBe(2))
      const began = performance.now()
      const before = told
      let turns = 0
      while ((await viewers()) === 2) {
        await a.run("other", () => 1)
        turns++
        await sleep(50)
      }
      expect(performance.now() - began).toBeGreaterThan(4000)
      expect(turns).toBeGreaterThan(20)
      expect(told - before).toBeGreaterThan(8)
      expect(await viewers()).toBe(1)
      good.leave()
      await reading.catch(() => {})
    },
  )

  it("has at most one frame waiting for it", () => {
    let looks = 0
    const channel = new Channel("run", 1, 1000, [new Whole("session", () => ++looks)], () => 1)
    const viewer = new Viewer(channel, { seq: -1, event: 0, past: 0 }, () => {})
    channel.join(viewer)
    expect(viewer.take()).toContain('"session":1')
    expect(viewer.take()).toBeUndefined()
    for (let beat = 0; beat < 50; beat++) {
      channel.look()
      viewer.news()
    }
    // Forty-nine were never made.
    expect(viewer.take()).toMatch(/"seq":51,.*"session":51/)
    expect(viewer.take()).toBeUndefined()
    viewer.leave()
  })
})

describe("when the last viewer has gone", () => {
  it("no look, no subscription and no viewer is left", async () => {
    const a = rooms()
    const subscribe = a.subscribe
    let subscribed = 0
    vi.spyOn(a, "subscribe").mockImplementation((listener) => {
      subscribed++
      const end = subscribe(listener)
      const ending = () => {
        subscribed--
        end()
      }
      return Object.assign(ending, { [Symbol.dispose]: ending })
    })
    const { url } = await serve({ sessions: [a] })
    const about = async () =>
      (await (await fetch(`${url}/about`)).json()) as { viewers: number; snapshot: number }
    const lives = await Promise.all(
      ["view=overview", "view=events,sessions", "view=events"].map((search) =>
        stream(url, `${search}&everyMs=250`),
      ),
    )
    for (const live of lives) await first(live.frames)
    expect(subscribed).toBe(1)
    for (const live of lives) live.leave()
    await vi.waitFor(async () => expect((await about()).viewers).toBe(0))
    expect(subscribed).toBe(0)
    // Each look has a number: none was taken but these two.
    const { snapshot } = await about()
    await sleep(700)
    expect((await about()).snapshot).toBe(snapshot + 1)
  })

  it("more viewers than may be are refused, and let in when one has gone", async () => {
    const { url } = await serve({ sessions: [rooms()] })
    const lives = await Promise.all(
      Array.from({ length: 64 }, () => stream(url, "view=overview&everyMs=250")),
    )
    const refused = await fetch(`${url}/stream?view=overview`)
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"])
    await refused.text()
    lives[0]?.leave()
    await vi.waitFor(async () => {
      const own = new AbortController()
      const again = await fetch(`${url}/stream?view=overview&everyMs=250`, { signal: own.signal })
      own.abort()
      expect(again.status).toBe(200)
    })
  })

  it("disposing ends every stream", async () => {
    const { handler, url } = await serve({ sessions: [rooms()] })
    const live = await stream(url, "view=overview&everyMs=250")
    await first(live.frames)
    handler[Symbol.dispose]()
    await expect(until(live.frames, () => false)).rejects.toThrow("there is none")
  })
})
