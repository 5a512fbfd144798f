import { createSessions, SessionMisuse, type AnySessions } from "@sojourn/core"
import { closeReasons, inspectionOf, sessionRefusedReasons, taskStoppedReasons } from "@sojourn/core/inspect"
import { testSessions } from "@sojourn/core/testing"
import { warningDefinitions } from "@sojourn/core/warnings"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Sessions } from "@sojourn/core"
import { AggregatorRegistry, Counter, Gauge, Registry } from "prom-client"
import { afterEach, expect, test, vi } from "vitest"
import { collectSessionMetrics, type MetricsOptions } from "../src/index.ts"
import { catalogue, processCatalogue } from "../src/catalogue.ts"
import { parse } from "./exposition.ts"
import { scrape } from "./support.ts"

const open = () => ({})
const collections: Array<Disposable> = []
const collecting = (options?: MetricsOptions, register = new Registry()) => {
  const collection = collectSessionMetrics(register, options)
  collections.push(collection)
  return { collection, register }
}
afterEach(() => {
  for (const collection of collections.splice(0)) collection[Symbol.dispose]()
})
/** The same sessions, whose inspection gives what `see` makes of it. */
const standIn = (sessions: AnySessions, see: (name: string, value: unknown) => unknown): AnySessions => {
  const inspection = inspectionOf(sessions)
  if (inspection === undefined) throw new Error("nothing to inspect")
  const slot = Object.getOwnPropertySymbols(sessions).find(({ description }) =>
    description?.endsWith("/inspection"),
  )
  const seen = new Proxy(inspection, {
    get: (target, name) => see(String(name), Reflect.get(target, name, target)),
  })
  return { ...sessions, [slot ?? ""]: seen }
}
const names = (register: Registry): ReadonlyArray<string> =>
  register.getMetricsAsArray().map(({ name }) => name)
const refused = (use: () => unknown): unknown => {
  try {
    return use()
  } catch (error) {
    return error instanceof SessionMisuse ? error.reason : error
  }
}

test("L16: every known series is 0 before anything happens", async () => {
  await using sessions = createSessions({ name: "early", open })
  const { register } = collecting({ sessions: [sessions] })
  const { families, moved } = await scrape(register)
  for (const { name, type, labels } of catalogue) {
    const family = families.get(`sojourn_${name}`)
    expect(family?.type).toBe(type)
    if (name === "sessions_limit") expect(moved(name)).toEqual({ '{kind="early"}': 10_000 })
    else if (name === "registries") expect(moved(name)).toEqual({ '{kind="early",phase="accepting"}': 1 })
    else expect(moved(name)).toEqual({})
    // Of tasks nothing is known ahead, and nothing is idle or runs.
    const none = labels.includes("task") || name.endsWith("_timestamp_seconds")
    expect([name, (family?.samples.size ?? 0) > 0]).toEqual([name, !none])
  }
  const of = (name: string, label: string) =>
    [...(families.get(`sojourn_${name}`)?.samples.keys() ?? [])].map(
      (id) => new RegExp(`${label}="([^"]*)"`).exec(id)?.[1],
    )
  expect(of("session_refusals_total", "reason")).toEqual([...sessionRefusedReasons])
  expect(of("task_stops_total", "reason")).toEqual([...taskStoppedReasons])
  expect(of("session_closes_total", "reason")).toEqual([...closeReasons])
  expect(of("sessions", "state")).toEqual([
    "Waiting",
    "Backoff",
    "Opening",
    "Ready",
    "Restarting",
    "Closing",
    "Quarantined",
  ])
})

test("L16 L8: a life in virtual time, sample by sample", async () => {
  const { register } = collecting()
  await using kit = testSessions({ name: "room", open, idleTimeout: 60_000, maxQueued: 2 })
  const { sessions } = kit
  const held = Promise.withResolvers<void>()
  const slow = sessions.run("a", () => held.promise, { name: "slow" })
  const next = [1, 2].map((n) => sessions.run("a", () => n, { name: "next" }))
  const full = sessions.run("a", () => 3).catch((error: unknown) => error)
  await full
  await kit.advance(2000)
  const during = await scrape(register)
  expect(during.moved("sessions")).toEqual({ '{kind="room",state="Ready"}': 1 })
  expect(during.moved("tasks")).toEqual({
    '{kind="room",state="queued"}': 2,
    '{kind="room",state="running"}': 1,
  })
  const [running] = sessions.explain("a").tasks
  expect(during.value("task_oldest_start_timestamp_seconds", 'kind="room"')).toBe(
    (running?.startedAt ?? 0) / 1000,
  )
  expect(during.value("session_oldest_idle_timestamp_seconds", 'kind="room"')).toBeUndefined()
  expect(during.moved("session_refusals_total")).toEqual({ '{kind="room",reason="MaxQueued"}': 1 })
  held.resolve()
  await Promise.all([slow, ...next])
  await kit.advance(0)
  const idle = await scrape(register)
  expect(idle.moved("tasks")).toEqual({})
  expect(idle.moved("sessions_idle")).toEqual({ '{kind="room"}': 1 })
  const closesAt = sessions.explain("a").closesAt ?? 0
  expect(idle.value("session_oldest_idle_timestamp_seconds", 'kind="room"')).toBe((closesAt - 60_000) / 1000)
  expect(idle.moved("tasks_started_total")).toEqual({
    '{kind="room",task="next"}': 2,
    '{kind="room",task="slow"}': 1,
  })
  expect(idle.moved("tasks_completed_total")).toMatchObject({
    '{kind="room",outcome="succeeded",task="next"}': 2,
    '{kind="room",outcome="succeeded",task="slow"}': 1,
  })
  expect(idle.moved("task_duration_seconds")).toMatchObject({
    '_bucket{kind="room",le="2.5",task="slow"}': 1,
    '_bucket{kind="room",le="+Inf",task="slow"}': 1,
    '_sum{kind="room",task="slow"}': 2,
    '_count{kind="room",task="slow"}': 1,
    '_bucket{kind="room",le="0.005",task="next"}': 2,
  })
  const slowUpTo1 = idle.families.get("sojourn_task_duration_seconds")?.samples
  expect(slowUpTo1?.get('_bucket{kind="room",le="1",task="slow"}')).toBe(0)
  expect(idle.moved("session_acquisitions_total")).toMatchObject({ '{kind="room",result="miss"}': 1 })
  expect(idle.moved("session_openings_total")).toEqual({
    '{generation="first",kind="room",outcome="succeeded"}': 1,
  })
  await kit.advance(60_000)
  const over = await scrape(register)
  expect(over.moved("sessions")).toEqual({})
  expect(over.moved("session_closes_total")).toEqual({ '{kind="room",reason="Idle"}': 1 })
  expect(over.moved("session_lifetime_seconds")).toEqual({
    '_bucket{kind="room",le="250"}': 1,
    '_bucket{kind="room",le="1000"}': 1,
    '_bucket{kind="room",le="2500"}': 1,
    '_bucket{kind="room",le="10000"}': 1,
    '_bucket{kind="room",le="50000"}': 1,
    '_bucket{kind="room",le="100000"}': 1,
    '_bucket{kind="room",le="+Inf"}': 1,
    '_sum{kind="room"}': 62,
    '_count{kind="room"}': 1,
  })
})

test("the Effect face is seen as the Promise face is", async () => {
  const { register } = collecting()
  class Thing extends Context.Service<Thing, { readonly n: number }>()("metrics/Thing") {}
  class Rooms extends Sessions.Service<Rooms>()("metrics/Rooms", {
    layer: () => Layer.succeed(Thing, { n: 7 }),
  }) {}
  const scope = Scope.makeUnsafe()
  const context = await Effect.runPromise(Layer.buildWithScope(Rooms.layer, scope))
  const use = Rooms.run(
    "a",
    Effect.map(Thing, ({ n }) => n),
    { name: "read" },
  )
  expect(await Effect.runPromise(Effect.provideContext(use, context))).toBe(7)
  const during = await scrape(register)
  expect(during.moved("sessions")).toEqual({ '{kind="metrics/Rooms",state="Ready"}': 1 })
  await Effect.runPromise(Scope.close(scope, Exit.void))
  const over = await scrape(register)
  expect(over.moved("sessions")).toEqual({})
  expect(over.moved("session_closes_total")).toEqual({ '{kind="metrics/Rooms",reason="Drained"}': 1 })
  expect(over.moved("tasks_started_total")).toEqual({ '{kind="metrics/Rooms",task="read"}': 1 })
})

test("registries of one name are one kind, and counters of those that have drained stay", async () => {
  const { register } = collecting()
  const make = () => createSessions({ name: "room", open })
  const [one, two] = [make(), make()]
  expect([one.name, two.name]).toEqual(["room", "room#2"])
  const use = (sessions: ReturnType<typeof make>, key: string) => sessions.run(key, () => 1, { name: "turn" })
  await use(one, "a")
  await use(two, "a")
  await use(two, "b")
  const shown = async () => {
    const { moved } = await scrape(register)
    return [moved("tasks_started_total"), moved("sessions"), moved("session_open_duration_seconds")] as const
  }
  const count = (n: number) => ({ '{kind="room",task="turn"}': n })
  const before = await shown()
  expect(before[0]).toEqual(count(3))
  expect(before[1]).toEqual({ '{kind="room",state="Ready"}': 3 })
  expect(before[2]['_count{kind="room",outcome="succeeded"}']).toBe(3)
  await two.drain()
  expect((await shown())[0]).toEqual(count(3))
  await one.drain()
  const after = await shown()
  expect(after[0]).toEqual(count(3))
  expect(after[1]).toEqual({})
  const ended = await scrape(register)
  expect(ended.value("sessions_limit", 'kind="room"')).toBe(0)
  expect(ended.value("session_oldest_idle_timestamp_seconds", 'kind="room"')).toBeUndefined()
  expect(after[2]['_count{kind="room",outcome="succeeded"}']).toBe(3)
  expect(ended.moved("registries")).toEqual({})
  await using third = make()
  await use(third, "a")
  // Twice: what was kept is not added again.
  await shown()
  const again = await shown()
  expect(again[0]).toEqual(count(4))
  expect(again[1]).toEqual({ '{kind="room",state="Ready"}': 1 })
})

test("one that has drained between two scrapes has lost nothing", async () => {
  const { register } = collecting()
  for (let round = 0; round < 3; round++) {
    await using sessions = createSessions({ name: "short", open })
    await sessions.run("a", () => 1, { name: "turn" })
  }
  const { moved } = await scrape(register)
  expect(moved("tasks_started_total")).toEqual({ '{kind="short",task="turn"}': 3 })
  expect(moved("session_closes_total")).toEqual({ '{kind="short",reason="Drained"}': 3 })
})

test("L21: a registry that has drained is still shown while something of it has leaked", async () => {
  const { register } = collecting()
  const hangs = Promise.withResolvers<void>()
  const sessions = createSessions({
    name: "leaky",
    open: ({ onClose }) => onClose(() => hangs.promise),
    timeouts: { close: 1 },
  })
  await sessions.run("a", () => 1, { name: "turn" })
  await sessions.drain({ finishWithin: 0 })
  const leaked = async () => {
    const { moved } = await scrape(register)
    return [moved("sessions_leaked"), moved("session_leaks_total")]
  }
  expect(await leaked()).toEqual([{ '{kind="leaky"}': 1 }, { '{kind="leaky"}': 1 }])
  hangs.resolve()
  await new Promise((resolve) => setImmediate(resolve))
  expect(await leaked()).toEqual([{}, { '{kind="leaky"}': 1 }])
})

test("of registries of one kind the earliest moment is shown, and their limits are added up", async () => {
  const { register } = collecting()
  const kits = [1, 2].map(() => testSessions({ name: "moments", open, maxSessions: 3 }))
  for (const [number, { advance, sessions }] of kits.entries()) {
    await advance(1000 + number * 5000)
    await sessions.run("a", () => 1)
    await advance(3000)
    await sessions.run("b", () => 1)
    await advance(number * 1000)
  }
  const since = kits.map(({ sessions }) => (sessions.explain("a").closesAt ?? 0) - 15 * 60_000)
  const { value } = await scrape(register)
  expect(since.every((at) => at > 0)).toBe(true)
  expect(value("session_oldest_idle_timestamp_seconds", 'kind="moments"')).toBe(Math.min(...since) / 1000)
  expect(value("sessions_limit", 'kind="moments"')).toBe(6)
  for (const kit of kits) await kit[Symbol.asyncDispose]()
})

test("once disposed it hears of no registry any more", () => {
  const watchers = Reflect.get(globalThis, Symbol.for("@sojourn/core/watchers")) as ReadonlySet<unknown>
  const before = watchers.size
  for (const [warnings, more] of [
    [false, 1],
    [true, 2],
  ] as const) {
    const { collection } = collecting({ warnings })
    expect(watchers.size).toBe(before + more)
    collection[Symbol.dispose]()
    expect(watchers.size).toBe(before)
  }
})

test("ten kinds are shown each with its own numbers; an empty prefix is one", async () => {
  const register = new Registry()
  const kinds = Array.from({ length: 10 }, (_, number) => createSessions({ name: `kind ${number}`, open }))
  for (const [number, sessions] of kinds.entries())
    for (let key = 0; key <= number; key++) await sessions.run(`k${key}`, () => 1, { name: "turn" })
  collecting({ sessions: kinds, prefix: "" }, register)
  const { moved } = await scrape(register, "")
  const counts = (series: (number: number) => string) =>
    Object.fromEntries(kinds.map((_, number) => [series(number), number + 1]))
  expect(moved("sessions")).toEqual(counts((number) => `{kind="kind ${number}",state="Ready"}`))
  expect(moved("tasks_started_total")).toEqual(counts((number) => `{kind="kind ${number}",task="turn"}`))
  await Promise.all(kinds.map((sessions) => sessions.drain()))
})

test("`sessions` are the only ones shown, and a second call joins and adds", async () => {
  await using mine = createSessions({ name: "mine", open })
  await using other = createSessions({ name: "other one", open })
  const { collection, register } = collecting({ sessions: [mine] })
  const kinds = async () =>
    Object.keys((await scrape(register)).moved("sessions_limit")).map((id) => /"(.*)"/.exec(id)?.[1])
  expect(await kinds()).toEqual(["mine"])
  const registered = names(register)
  const { collection: second } = collecting({ sessions: [mine, other] }, register)
  expect(await kinds()).toEqual(["mine", "other one"])
  expect(names(register)).toEqual(registered)
  collection[Symbol.dispose]()
  collection[Symbol.dispose]()
  expect(await kinds()).toEqual(["mine", "other one"])
  second[Symbol.dispose]()
  expect(names(register)).toEqual([])
})

test("disposing leaves what is not ours, and a name that is taken leaves nothing of ours", async () => {
  const register = new Registry()
  const own = new Counter({ name: "own_total", help: "mine", registers: [register] })
  own.inc()
  const { collection } = collecting({}, register)
  collection[Symbol.dispose]()
  expect(names(register)).toEqual(["own_total"])
  const taken = new Gauge({ name: "sojourn_tasks", help: "mine", registers: [register] })
  taken.set(3)
  expect(refused(() => collectSessionMetrics(register))).toMatchObject({
    message: expect.stringContaining("sojourn_tasks"),
  })
  expect(names(register)).toEqual(["own_total", "sojourn_tasks"])
  const { register: same } = collecting({ prefix: "app_" }, register)
  expect((await scrape(same, "app_")).value("build_info")).toBeUndefined()
  expect(names(register)).toContain("app_tasks")
  expect(names(register)).toContain("nodejs_eventloop_utilization_ratio")
})

test("after register.clear() a second call shows them again; resetMetrics changes nothing", async () => {
  await using sessions = createSessions({ name: "cleared", open })
  await sessions.run("a", () => 1, { name: "turn" })
  const { register } = collecting({ sessions: [sessions] })
  register.resetMetrics()
  register.clear()
  collecting({ sessions: [sessions] }, register)
  expect((await scrape(register)).moved("tasks_started_total")).toEqual({ '{kind="cleared",task="turn"}': 1 })
})

test.each<[string, unknown]>([
  ["an option that is none", { prefx: "a_" }],
  ["a prefix that no name can begin with", { prefix: "1-" }],
  ["a prefix with a newline", { prefix: "a\n" }],
  ["what is no registry", { sessions: [{ name: "a" }] }],
  ["nothing for a registry", { sessions: [undefined] }],
  ["what is no array", { sessions: 3 }],
  ["null", null],
])("refuses %s", (_, options) => {
  const register = new Registry()
  expect(refused(() => collectSessionMetrics(register, options as MetricsOptions))).toBe("InvalidOption")
  expect(names(register)).toEqual([])
})
test("refuses another prefix on the same register", () => {
  const { register } = collecting()
  expect(refused(() => collectSessionMetrics(register, { prefix: "app_" }))).toBe("InvalidOption")
})

test("hostile names are escaped, and no key or owner is in the output", async () => {
  const canary = "canary-5f1c"
  const name = 'a"b\\c\nd} 1\n# HELP x{y="z",} \u{1F600}'
  await using sessions = createSessions({ name, open, maxPerOwner: 1 })
  const task = `t"\\\n{${"x".repeat(100)}`
  await sessions.run({ owner: canary, id: canary }, () => 1, { name: task })
  await sessions.run({ owner: canary, id: `${canary}2` }, () => 1, { name: task })
  const { register } = collecting({ sessions: [sessions] })
  for (const openMetrics of [false, true]) {
    const shown = register as Registry<never>
    shown.setContentType(
      (openMetrics ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE) as never,
    )
    const text = await register.metrics()
    expect(text).not.toContain(canary)
    const family = parse(text, openMetrics).get(`sojourn_tasks_started${openMetrics ? "" : "_total"}`)
    const id = `{kind=${JSON.stringify(name)},task=${JSON.stringify(task)}}`
    expect([...(family?.samples ?? [])]).toEqual([[openMetrics ? `_total${id}` : id, 2]])
  }
  expect(JSON.stringify(await register.getMetricsAsJSON())).not.toContain(canary)
})

test("OpenMetrics and plain text, there and back, also when the register began with OpenMetrics", async () => {
  await using sessions = createSessions({ name: "om", open })
  for (const first of [Registry.PROMETHEUS_CONTENT_TYPE, Registry.OPENMETRICS_CONTENT_TYPE]) {
    const register = new Registry()
    register.setContentType(first as never)
    const { collection } = collecting({ sessions: [sessions] }, register)
    for (const type of [Registry.OPENMETRICS_CONTENT_TYPE, Registry.PROMETHEUS_CONTENT_TYPE]) {
      register.setContentType(type as never)
      const openMetrics = type === Registry.OPENMETRICS_CONTENT_TYPE
      const families = [...parse(await register.metrics(), openMetrics).keys()]
      const expected = catalogue.map(({ name, type: kind }) =>
        openMetrics && kind === "counter" ? name.replace(/_total$/, "") : name,
      )
      expect(families.slice(0, expected.length)).toEqual(expected.map((name) => `sojourn_${name}`))
      const one = await register.getSingleMetricAsString("sojourn_defects_total")
      expect(one.split("\n").at(-1)).toBe('sojourn_defects_total{kind="om"} 0')
    }
    collection[Symbol.dispose]()
    expect(names(register)).toEqual([])
  }
})

test("two processes' JSON is added up; moments are the earliest, durations of a scrape the longest", async () => {
  await using sessions = createSessions({ name: "both", open })
  await sessions.run("a", () => 1, { name: "turn" })
  const { register } = collecting({ sessions: [sessions] })
  type Exported = Array<{ name: string; values: Array<{ value: number }> }>
  const json = async (): Promise<Exported> => JSON.parse(JSON.stringify(await register.getMetricsAsJSON()))
  const [one, two] = [await json(), await json()]
  const values = (exported: Exported, name: string) =>
    exported.find((metric) => metric.name === `sojourn_${name}`)?.values ?? []
  const idleSince = values(one, "session_oldest_idle_timestamp_seconds")[0]?.value ?? 0
  for (const sample of values(two, "session_oldest_idle_timestamp_seconds")) sample.value -= 100
  for (const [exported, seconds] of [
    [one, 0.5],
    [two, 0.25],
  ] as const)
    for (const name of ["sojourn_scrape_duration_seconds", "nodejs_eventloop_utilization_ratio"])
      for (const sample of exported.find((metric) => metric.name === name)?.values ?? [])
        sample.value = seconds
  const { families, moved, value } = await scrape(AggregatorRegistry.aggregate([one, two]))
  expect(moved("tasks_started_total")).toEqual({ '{kind="both",task="turn"}': 2 })
  expect(moved("sessions")).toEqual({ '{kind="both",state="Ready"}': 2 })
  expect(moved("sessions_limit")).toEqual({ '{kind="both"}': 20_000 })
  expect(moved("task_duration_seconds")['_count{kind="both",task="turn"}']).toBe(2)
  expect(value("session_oldest_idle_timestamp_seconds", 'kind="both"')).toBe(idleSince - 100)
  expect(value("scrape_duration_seconds")).toBe(0.5)
  expect(families.get("nodejs_eventloop_utilization_ratio")?.samples.get("{}")).toBe(0.5)
  expect(Object.values(moved("build_info"))).toEqual([2])
})

test("beyond 50 kinds, and 50 tasks of a kind, they are other, and the sum is right", async () => {
  const { register } = collecting({ sessions: [] })
  const kinds: Array<AnySessions> = []
  for (let number = 0; number < 53; number++) {
    const sessions = createSessions({ name: `kind ${number}`, open })
    kinds.push(sessions)
    await sessions.run("a", () => 1, { name: "turn" })
  }
  collecting({ sessions: kinds }, register)
  const { moved } = await scrape(register)
  const started = moved("tasks_started_total")
  expect(Object.keys(started)).toHaveLength(51)
  expect(started['{kind="other",task="turn"}']).toBe(3)
  await using many = createSessions({ name: "many", open })
  for (let number = 0; number < 60; number++) await many.run("a", () => 1, { name: `task ${number}` })
  const { register: second } = collecting({ sessions: [many] })
  const tasks = (await scrape(second)).moved("tasks_started_total")
  expect(Object.keys(tasks)).toHaveLength(51)
  expect(tasks['{kind="many",task="other"}']).toBe(10)
  const overflow = (of: Registry) => scrape(of).then((all) => all.moved("label_overflow_total"))
  expect(await overflow(second)).toEqual({ '{kind="many",label="task"}': 10 })
  expect(await overflow(register)).toEqual({ '{kind="other",label="kind"}': 3 })
  await Promise.all(kinds.map((sessions) => sessions.drain()))
})

test("registries of one kind share its 50 tasks, also with what was kept of one that has drained", async () => {
  const { register } = collecting()
  for (const first of [0, 30]) {
    await using sessions = createSessions({ name: "shared", open })
    for (let number = first; number < first + 40; number++)
      await sessions.run("a", () => 1, { name: `task ${number}` })
    const { moved } = await scrape(register)
    const started = moved("tasks_started_total")
    const sum = Object.values(started).reduce((total, count) => total + count, 0)
    expect(moved("label_overflow_total")).toEqual(first === 0 ? {} : { '{kind="shared",label="task"}': 20 })
    expect([Object.keys(started).length, sum]).toEqual(first === 0 ? [40, 40] : [51, 80])
    if (first > 0)
      for (const [label, count] of [
        ["task 30", 2],
        ["task 49", 1],
        ["other", 20],
      ] as const)
        expect([label, started[`{kind="shared",task="${label}"}`]]).toEqual([label, count])
  }
})

test("a scrape reads each registry once, and its sessions only for the oldest task", async () => {
  await using sessions = createSessions({ name: "counted", open })
  const reads: Record<string, number> = {}
  const stand = standIn(sessions, (name, value) => {
    if (typeof value === "function") reads[name] = (reads[name] ?? 0) + 1
    return value
  })
  const { register } = collecting({ sessions: [stand], warnings: false })
  await register.metrics()
  expect(reads).toEqual({ gauges: 1, tasks: 1, oldestTaskSince: 1 })
  await register.getMetricsAsJSON()
  expect(reads).toEqual({ gauges: 2, tasks: 2, oldestTaskSince: 2 })
})

test("the process: versions, and what the scrape took", async () => {
  const { register } = collecting({ sessions: [] })
  const { families, moved, value } = await scrape(register)
  expect(Object.keys(moved("build_info"))).toEqual([
    expect.stringMatching(/^\{effect="\d+\.\d+\.\d+",node="24\.[^"]+",version="\d+\.\d+\.\d+"\}$/),
  ])
  expect(value("scrape_duration_seconds")).toBeGreaterThan(0)
  expect(families.get("nodejs_eventloop_utilization_ratio")?.samples.get("{}")).toBeLessThanOrEqual(1)
  expect([...families.keys()].slice(-processCatalogue.length).at(-1)).toBe("sojourn_scrape_duration_seconds")
})

test("L16 L14: waits for sessions, failed openings, stops and drains, as the registry has counted them", async () => {
  const { register } = collecting()
  await using kit = testSessions({ name: "waits", open, timeouts: { open: 1000, close: 100, grace: 100 } })
  const { sessions } = kit
  kit.hang("open", { key: "slow", times: 1 })
  const timedOut = sessions.run("slow", () => 1).catch((error: unknown) => error)
  await kit.advance(400)
  const joined = sessions.run("slow", () => 1).catch((error: unknown) => error)
  await kit.advance(10_000)
  await Promise.all([timedOut, joined])
  const failed = sessions.run("busy", (_, { background }) => {
    background("index", () => Promise.reject(new Error("odd")))
    return sessions.run("busy", () => 1)
  })
  await expect(failed).rejects.toMatchObject({ reason: "ReentrantRun" })
  const cut = sessions
    .run(
      "busy",
      (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", reject)),
    )
    .catch((error: unknown) => error)
  await kit.advance(0)
  const drained = sessions.drain({ finishWithin: 2000 })
  await kit.advance(0)
  const during = await scrape(register)
  expect(during.moved("registries")).toEqual({ '{kind="waits",phase="draining"}': 1 })
  await kit.advance(5000)
  await Promise.all([drained, cut])
  const { families, moved } = await scrape(register)
  expect(moved("session_acquire_duration_seconds")).toMatchObject({
    '_count{kind="waits",result="miss"}': 1,
  })
  expect(moved("session_open_duration_seconds")).toMatchObject({
    '_count{kind="waits",outcome="succeeded"}': 1,
    '_count{kind="waits",outcome="timedOut"}': 1,
    '_sum{kind="waits",outcome="timedOut"}': 1,
  })
  expect(moved("tasks_failed_unobserved_total")).toEqual({ '{kind="waits"}': 1 })
  expect(moved("calls_reentrant_total")).toEqual({ '{kind="waits"}': 1 })
  expect(moved("drains_total")).toEqual({ '{kind="waits",outcome="cut"}': 1 })
  expect(families.get("sojourn_drain_duration_seconds")?.samples.get('_sum{kind="waits"}')).toBe(2)
  expect(moved("registries")).toEqual({})
})

test("L16 L5: a task that was told to stop and has not ended is neither running nor gone", async () => {
  const { register } = collecting()
  await using kit = testSessions({ name: "stops", open })
  const held = Promise.withResolvers<void>()
  const task = kit.sessions.run("a", () => held.promise, { timeout: 100 }).catch(() => {})
  await kit.advance(200)
  const tasks = async () => (await scrape(register)).moved("tasks")
  expect(await tasks()).toEqual({ '{kind="stops",state="stopping"}': 1 })
  held.resolve()
  await task
  await kit.advance(0)
  expect(await tasks()).toEqual({})
})

test("what cannot be read is counted and left out; the rest is shown, and comes back when it can be read", async () => {
  await using whole = createSessions({ name: "whole", open })
  await using broken = createSessions({ name: "broken", open })
  const faults = new Map<string, () => never>()
  const fault = () => {
    throw new Error("cannot be read")
  }
  const stand = standIn(broken, (name, value) => faults.get(name) ?? value)
  const { register } = collecting({ sessions: [stand, whole] })
  const kinds = async (name: string) => {
    const { families, value } = await scrape(register)
    const shown = [...(families.get(`sojourn_${name}`)?.samples.keys() ?? [])]
    return [new Set(shown.map((id) => /kind="(\w+)"/.exec(id)?.[1])), value("scrape_errors_total")]
  }
  expect(await kinds("defects_total")).toEqual([new Set(["broken", "whole"]), 0])
  faults.set("gauges", fault)
  expect(await kinds("defects_total")).toEqual([new Set(["whole"]), 1])
  faults.clear()
  expect(await kinds("defects_total")).toEqual([new Set(["broken", "whole"]), 1])
})

test("scrapes that overlap do not mix: each is of one look, and both are complete", async () => {
  await using sessions = createSessions({ name: "both", open })
  let reads = 0
  const stand = standIn(sessions, (name, value) => {
    if (name === "gauges") reads++
    return value
  })
  const { register } = collecting({ sessions: [stand] })
  const first = register.metrics()
  // Asked for while the first is under way: at the next moment, and in the same.
  const [second, third] = await Promise.all([Promise.resolve().then(() => register.metrics()), first])
  expect(reads).toBe(2)
  expect([...parse(second).keys()]).toEqual([...parse(third).keys()])
})

test("a scrape of very many series leaves room for others in between, and is whole", async () => {
  const kinds: Array<AnySessions> = []
  for (let kind = 0; kind < 10; kind++) {
    const sessions = createSessions({ name: `wide ${kind}`, open })
    for (let task = 0; task < 30; task++) await sessions.run("a", () => 1, { name: `task ${task}` })
    kinds.push(sessions)
  }
  const { register } = collecting({ sessions: kinds })
  let rounds = 0
  let over = false
  const turn = () => {
    rounds++
    if (!over) setImmediate(turn)
  }
  setImmediate(turn)
  const { moved } = await scrape(register)
  over = true
  expect(Object.keys(moved("tasks_started_total"))).toHaveLength(300)
  expect(rounds).toBeGreaterThan(1)
  await Promise.all(kinds.map((sessions) => sessions.drain()))
})

test("L16: warnings: all at 0, raised, cleared and counted; those of other registries are not among them", async () => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance", "Date"],
  })
  try {
    const make = (name: string) =>
      createSessions({ name, open, maxQueued: 20, timeouts: { silence: "Infinity" } })
    const [mine, others] = [make("mine"), make("others")]
    const { register } = collecting({ sessions: [mine] })
    const without = collecting({ sessions: [mine], warnings: false }).register
    const all = collecting().register
    const held = Promise.withResolvers<void>()
    const pile = (sessions: typeof mine) =>
      Array.from({ length: 20 }, () => sessions.run("a", () => held.promise, { name: "waits" }))
    const counted = async (of: Registry) => {
      const { moved } = await scrape(of)
      return [moved("warnings_active"), moved("warning_activations_total")]
    }
    const { families } = await scrape(register)
    expect(families.get("sojourn_warnings_active")?.samples.size).toBe(warningDefinitions.length)
    expect(await counted(register)).toEqual([{}, {}])
    const tasks = [...pile(mine), ...pile(others)]
    await vi.advanceTimersByTimeAsync(10_000)
    const label = '{severity="warning",warning="pending-high"}'
    const [active = {}, activations = {}] = await counted(register)
    expect([active[label], activations[label]]).toEqual([1, 1])
    const [everywhere = {}] = await counted(all)
    expect(everywhere[label]).toBe(2)
    expect((await scrape(without)).families.get("sojourn_warnings_active")?.samples.size).toBe(0)
    held.resolve()
    await Promise.all(tasks)
    await vi.advanceTimersByTimeAsync(60_000)
    const [over = {}, still = {}] = await counted(register)
    expect([over[label], still[label]]).toEqual([undefined, 1])
    await Promise.all([mine.drain(), others.drain()])
  } finally {
    vi.useRealTimers()
  }
})

test("buckets end where counts are exact: at 1, 2.5 and 5 of a decade, ascending, within what is kept", () => {
  for (const definition of [...catalogue, ...processCatalogue]) {
    const bounds = "buckets" in definition ? (definition.buckets ?? []) : []
    expect(bounds).toEqual(bounds.toSorted((a, b) => a - b))
    for (const bound of bounds) {
      const digits = Number(bound.toExponential().split("e")[0])
      expect([1, 2.5, 5]).toContain(digits)
      // Lifetimes are kept in milliseconds, all others in microseconds.
      expect(bound).toBeLessThan(4_294_967_295 / (definition.name === "session_lifetime_seconds" ? 1e3 : 1e6))
    }
  }
})
