import { spawnSync } from "node:child_process"
import { copyFileSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { context, trace } from "@opentelemetry/api"
import {
  AlwaysOffSampler,
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node"
import { createSessions } from "@sojourn/core"
import { type Inspection, inspectionOf } from "@sojourn/core/inspect"
import { traceSessions } from "@sojourn/opentelemetry"
import { Registry } from "prom-client"
import { afterEach, expect, test } from "vitest"
import { collectSessionMetrics, type MetricsOptions } from "../src/index.ts"
import { type Exemplar, parse } from "./exposition.ts"

const open = () => ({})
const held: Array<Disposable> = []
afterEach(() => {
  for (const one of held.splice(0)) one[Symbol.dispose]()
  trace.disable()
  context.disable()
})

/** A stock SDK, registered as an application does; the second one records nothing. */
const tracing = (sampled = true): void => {
  new NodeTracerProvider(sampled ? {} : { sampler: new AlwaysOffSampler() }).register()
}
/** Does `work` in a span, which has ended by the time this resolves; gives the span's ids. */
const inSpan = (work: () => Promise<unknown>) =>
  trace.getTracer("test").startActiveSpan("request", async (span) => {
    const { spanId, traceId } = span.spanContext()
    try {
      await work().catch(() => {})
    } finally {
      span.end()
    }
    return { trace_id: traceId, span_id: spanId }
  })
const collecting = (options: MetricsOptions, type: string = Registry.OPENMETRICS_CONTENT_TYPE) => {
  const register = new Registry()
  register.setContentType(type as never)
  const collection = collectSessionMetrics(register, options)
  held.push(collection)
  const openMetrics = type === Registry.OPENMETRICS_CONTENT_TYPE
  const exemplars = async (): Promise<ReadonlyMap<string, Exemplar>> => {
    const families = parse(await register.metrics(), openMetrics)
    const found = new Map<string, Exemplar>()
    for (const [name, family] of families)
      for (const [id, exemplar] of family.exemplars) found.set(name + id, exemplar)
    return found
  }
  return { collection, exemplars }
}
const bucket = (task: string, le: string): string =>
  `sojourn_task_duration_seconds_bucket{kind="traced",le="${le}",task="${task}"}`
const inspect = (sessions: Parameters<typeof inspectionOf>[0]): Inspection => {
  const inspection = inspectionOf(sessions)
  if (inspection === undefined) throw new Error("nothing to inspect")
  return inspection
}

test("L19: each task's exemplar is of its own caller's span, in the bucket it fell into; also of one that had to wait", async () => {
  tracing()
  await using sessions = createSessions({ name: "traced", open })
  const { exemplars } = collecting({ sessions: [sessions], exemplars: true })
  const before = Date.now() / 1000
  const first = Promise.withResolvers<void>()
  const [slow, waited] = await Promise.all([
    inSpan(() => sessions.run("a", () => first.promise, { name: "slow" })),
    inSpan(async () => {
      const run = sessions.run("a", () => 1, { name: "waited" })
      setTimeout(first.resolve, 60)
      await run
    }),
  ])
  const found = await exemplars()
  expect(slow.trace_id).not.toBe(waited.trace_id)
  expect(new Set(found.keys())).toEqual(new Set([bucket("slow", "0.1"), bucket("waited", "0.005")]))
  expect(found.get(bucket("slow", "0.1"))?.labels).toEqual(slow)
  expect(found.get(bucket("waited", "0.005"))?.labels).toEqual(waited)
  const { at, value } = found.get(bucket("slow", "0.1")) ?? { at: 0, value: 0 }
  expect(value).toBeGreaterThan(0.05)
  expect(at).toBeGreaterThanOrEqual(before)
  expect(at).toBeLessThanOrEqual(Date.now() / 1000)
  // The newest of a bucket is shown.
  const next = await inSpan(() => sessions.run("a", () => 1, { name: "waited" }))
  expect((await exemplars()).get(bucket("waited", "0.005"))?.labels).toEqual(next)
})

test("where turns have spans of their own, it is the turn's", async () => {
  const exporter = new InMemorySpanExporter()
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register()
  await using sessions = createSessions({ name: "traced", open })
  held.push(traceSessions({ sessions: [sessions] }))
  const { exemplars } = collecting({ sessions: [sessions], exemplars: true })
  const request = await inSpan(() => sessions.run("a", () => 1, { name: "turn" }))
  const turn = exporter
    .getFinishedSpans()
    .find(({ parentSpanContext }) => parentSpanContext?.spanId === request.span_id)
  expect((await exemplars()).get(bucket("turn", "0.005"))?.labels).toEqual({
    trace_id: request.trace_id,
    span_id: turn?.spanContext().spanId,
  })
})

test("none without a span, of one that is not recorded, and of tasks that were never started", async () => {
  await using sessions = createSessions({ name: "traced", open, maxQueued: 0 })
  const { exemplars } = collecting({ sessions: [sessions], exemplars: true })
  await sessions.run("a", () => 1, { name: "untraced" })
  tracing(false)
  const unrecorded = await inSpan(() => sessions.run("a", () => 1, { name: "unrecorded" }))
  expect(unrecorded.trace_id).toMatch(/^[0-9a-f]{32}$/)
  trace.disable()
  context.disable()
  tracing()
  const runs = Promise.withResolvers<void>()
  const running = sessions.run("a", () => runs.promise, { name: "running" })
  await inSpan(() => sessions.run("a", () => 1, { name: "refused" }))
  runs.resolve()
  await running
  expect([...(await exemplars()).keys()]).toEqual([])
})

test("only where they are asked for, and only in OpenMetrics; nothing is on the way of a turn otherwise", async () => {
  tracing()
  await using sessions = createSessions({ name: "traced", open })
  const { durations, watchEnds } = inspect(sessions)
  // The registry's own books, where a listener would stand.
  const listened = () => Reflect.get(durations, "onEnd") !== undefined
  const ends = watchEnds(() => {})
  expect(listened()).toBe(true)
  ends()
  const without = collecting({ sessions: [sessions] })
  expect(listened()).toBe(false)
  const plain = collecting({ sessions: [sessions], exemplars: true }, Registry.PROMETHEUS_CONTENT_TYPE)
  expect(listened()).toBe(true)
  await inSpan(() => sessions.run("a", () => 1, { name: "turn" }))
  expect([...(await plain.exemplars()), ...(await without.exemplars())]).toEqual([])
  plain.collection[Symbol.dispose]()
  expect(listened()).toBe(false)
})

test("a later call may switch them on, for registries that were there before and for those that come", async () => {
  tracing()
  const register = new Registry()
  register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never)
  await using sessions = createSessions({ name: "traced", open })
  held.push(collectSessionMetrics(register), collectSessionMetrics(register, { exemplars: true }))
  await using more = createSessions({ name: "traced", open })
  const early = await inSpan(() => sessions.run("a", () => 1, { name: "early" }))
  const late = await inSpan(() => more.run("a", () => 1, { name: "late" }))
  const { exemplars } = parse(await register.metrics(), true).get("sojourn_task_duration_seconds") ?? {}
  expect([...(exemplars ?? [])].map(([, { labels }]) => labels)).toEqual([early, late])
  // One that has drained is let go of, with what listened to it.
  const { durations } = inspect(more)
  await more.drain()
  await register.metrics()
  expect(Reflect.get(durations, "onEnd")).toBeUndefined()
  expect(Reflect.get(inspect(sessions).durations, "onEnd")).toBeDefined()
})

test("without OpenTelemetry there is no span, and no error", () => {
  const folder = mkdtempSync(join(tmpdir(), "sojourn-alone-"))
  try {
    const file = join(folder, "activeSpan.ts")
    copyFileSync(join(import.meta.dirname, "../src/activeSpan.ts"), file)
    const program = `import { activeSpan } from ${JSON.stringify(file)}; console.log(String(activeSpan()))`
    const { stderr, stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      encoding: "utf8",
    })
    expect([stdout, stderr]).toEqual(["undefined\n", ""])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
