/** Warnings of the catalogue, raised by what really happens, and the past as it is kept. */
import { watchWarnings } from "@sojourn/core/warnings"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { ask, hanging, post, rooms, serve } from "./support.ts"

const soon = { timeout: 15_000, interval: 200 }

describe("warnings", () => {
  it("are counted for the session and its registry, listed with their evidence, and can be muted", async () => {
    const a = rooms()
    const watch = watchWarnings({
      sessions: [a],
      log: false,
      kinds: { [a.name]: { "pending-high": { pending: 3, for: 0 } } },
    })
    onTestFinished(() => watch[Symbol.dispose]())
    const hang = hanging()
    const key = { owner: "Zebulon", id: "q7x-private-9" }
    for (let turn = 0; turn < 5; turn++) a.run(key, hang.work, { name: "wait" }).catch(() => {})
    await a.run("calm", () => 1)
    const { url } = await serve({ sessions: [a] })
    const get = async () => ask(`${url}/sessions?warned=true`, "sessions")
    await vi.waitFor(async () => expect((await get()).sessions.total).toBe(1), soon)
    const { sessions } = await get()
    const [row] = sessions.rows
    expect([row.warnings, sessions.facets.warned]).toEqual([1, 1])
    expect((await ask(`${url}/sessions?warned=false`, "sessions")).sessions.total).toBe(1)
    expect((await ask(`${url}/overview`, "overview")).kinds[0].gauges.warnings).toBe(1)
    const answer = await ask(`${url}/warnings`, "warnings")
    const raised = answer.warnings.find(({ name }: { name: string }) => name === "pending-high")
    expect(raised).toMatchObject({
      id: "L02",
      scope: "session",
      kind: a.name,
      session: row.hash,
      evidence: { pending: 5, queued: 4 },
    })
    expect(JSON.stringify(answer)).not.toMatch(/Zebulon|q7x/)
    expect(answer.recent[0]).toMatchObject({ what: "raised" })
    expect(answer.catalogue.find(({ id }: { id: string }) => id === "L02").active).toBeGreaterThan(0)
    // Muted it is still there, and says so.
    await post(url, { action: "mute", warning: "pending-high", kind: a.name, forMs: 60_000 })
    const muted = (await ask(`${url}/warnings`, "warnings")).warnings.find(
      ({ name }: { name: string }) => name === "pending-high",
    )
    expect(muted.mutedUntil).toBeGreaterThan(Date.now())
    await post(url, { action: "unmute", warning: "pending-high", kind: a.name })
    hang.end()
    await vi.waitFor(async () => expect((await get()).sessions.total).toBe(0), soon)
  })
})

describe("the past", () => {
  it("is kept from the beginning, whether or not anybody looks, and sent point by point", async () => {
    const a = rooms()
    const { url } = await serve({ sessions: [a] })
    for (let turn = 0; turn < 5; turn++) await a.run("x", () => 1)
    const series = async () =>
      (await ask(`${url}/series?name=started&name=process&kind=${a.name}`, "series")).series
    await vi.waitFor(async () => expect((await series()).points).toBeGreaterThan(1), soon)
    const { columns, points, stepMs } = await series()
    const started = columns.find(({ name }: { name: string }) => name === "started")
    expect(started).toMatchObject({ kind: a.name, unit: "perSecond" })
    expect(started.values).toHaveLength(points)
    const ran =
      started.values.reduce((sum: number, value: number | null) => sum + (value ?? 0), 0) * (stepMs / 1000)
    expect(ran).toBeGreaterThan(3)
    expect(columns.some(({ name }: { name: string }) => name === "process.heapUsed")).toBe(true)
    const heat = (await ask(`${url}/heatmap?span=runs&kind=${a.name}`, "heatmap")).heatmap
    const counted = heat.counts.flat().reduce((sum: number, value: number | null) => sum + (value ?? 0), 0)
    expect(counted).toBe(5)
    // A poll is sent the points since the one before.
    const view = `view=series&series=started&kind=${a.name}`
    const one = await ask(`${url}/snapshot?${view}`, "snapshot")
    const end = one.delta.series.start + one.delta.series.points * one.delta.series.stepMs
    await vi.waitFor(async () => {
      const two = await ask(`${url}/snapshot?${view}&after=${one.id}`, "snapshot")
      expect(two.delta.series.start).toBe(end)
    }, soon)
  })
})
