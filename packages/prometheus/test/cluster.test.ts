import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type Family, parse } from "./exposition.ts"

interface Ready {
  readonly metrics: number
  readonly ports: readonly [number, number]
}
let primary: ChildProcess
let ready: Ready

beforeAll(async () => {
  primary = fork(join(import.meta.dirname, "programs/clustered.ts"), {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  })
  const [message] = (await once(primary, "message")) as [Ready]
  ready = message
}, 30_000)
afterAll(async () => {
  // Its workers end when they are cut off from it.
  const ended = once(primary, "exit")
  primary.kill("SIGKILL")
  await ended
})

const get = async (port: number, path: string): Promise<string> => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  expect(response.status).toBe(200)
  return response.text()
}
const families = async (port = ready.metrics, path = "/metrics", openMetrics = false) =>
  parse(await get(port, path), openMetrics)
const samples = (all: ReadonlyMap<string, Family>, name: string): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...(all.get(name)?.samples ?? [])].filter(([id, value]) => value !== 0 && !id.startsWith("_bucket")),
  )

test("a cluster of two: counts and histograms are added up, moments are the earliest, shares the largest", async () => {
  const [one, two] = ready.ports
  for (let use = 0; use < 3; use++) await get(one, "/a")
  await get(two, "/a")
  await get(two, "/b")
  const all = await families()
  expect(samples(all, "sojourn_tasks_started_total")).toEqual({ '{kind="counter",task="add"}': 5 })
  expect(samples(all, "sojourn_sessions")).toEqual({ '{kind="counter",state="Ready"}': 3 })
  expect(samples(all, "sojourn_sessions_limit")).toEqual({ '{kind="counter"}': 20 })
  expect(samples(all, "sojourn_registries")).toEqual({ '{kind="counter",phase="accepting"}': 2 })
  expect(samples(all, "sojourn_session_acquisitions_total")).toEqual({
    '{kind="counter",result="miss"}': 3,
    '{kind="counter",result="hit"}': 2,
  })
  const { '_count{kind="counter",task="add"}': count } = samples(all, "sojourn_task_duration_seconds")
  expect(count).toBe(5)
  const inf = '_bucket{kind="counter",le="+Inf",task="add"}'
  expect(all.get("sojourn_task_duration_seconds")?.samples.get(inf)).toBe(5)
  expect(Object.values(samples(all, "sojourn_build_info"))).toEqual([2])
  // What each worker says of itself, the second one in OpenMetrics.
  const own = [await families(one, "/own"), await families(two, "/own", true)]
  const moments = own.map(
    (of) => samples(of, "sojourn_session_oldest_idle_timestamp_seconds")['{kind="counter"}'] ?? Number.NaN,
  )
  expect(moments[0]).not.toBe(moments[1])
  expect(samples(all, "sojourn_session_oldest_idle_timestamp_seconds")).toEqual({
    '{kind="counter"}': Math.min(...moments),
  })
  const busy = all.get("nodejs_eventloop_utilization_ratio")?.samples.get("{}") ?? Number.NaN
  expect(busy).toBeGreaterThanOrEqual(0)
  expect(busy).toBeLessThanOrEqual(1)
})

test("the names of the cluster are those of one process", async () => {
  const [one] = ready.ports
  const [all, own] = [await families(), await families(one, "/own")]
  expect([...all.keys()]).toEqual([...own.keys()])
  for (const [name, { help, type }] of own) expect(all.get(name)).toMatchObject({ help, type })
})
