import { setTimeout as pass } from "node:timers/promises"
import { Registry } from "prom-client"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { collectSessionMetrics } from "../src/index.ts"
import { scrape } from "./support.ts"

// Only the look of each second: what Node measures is real.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }))
afterEach(() => void vi.useRealTimers())

const block = (ms: number): void => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

test("a blocked loop is one long stall of that second, however often it is scraped", async () => {
  const register = new Registry()
  using collection = collectSessionMetrics(register, { sessions: [] })
  expect(collection).toBeDefined()
  const stalls = async () => {
    const { families } = await scrape(register)
    const samples = families.get("sojourn_eventloop_stall_seconds")?.samples
    return [samples?.get('_bucket{le="0.1"}'), samples?.get("_count{}"), samples?.get("_sum{}") ?? Number.NaN]
  }
  expect(await stalls()).toEqual([0, 0, 0])
  // The first look of Node's own timer is where it begins to measure.
  await pass(50)
  block(300)
  await pass(50)
  vi.advanceTimersByTime(1000)
  const [upTo, count, sum] = await stalls()
  expect([upTo, count]).toEqual([0, 1])
  expect(sum).toBeGreaterThan(0.2)
  expect(await stalls()).toEqual([upTo, count, sum])
  const { families } = await scrape(register)
  const busy = families.get("nodejs_eventloop_utilization_ratio")?.samples.get("{}") ?? 0
  expect(busy).toBeGreaterThan(0.3)
  expect(busy).toBeLessThanOrEqual(1)
})

test("it stops with the last collection of the register", () => {
  const register = new Registry()
  const [one, two] = [collectSessionMetrics(register), collectSessionMetrics(register)]
  expect(vi.getTimerCount()).toBe(1)
  one[Symbol.dispose]()
  expect(vi.getTimerCount()).toBe(1)
  two[Symbol.dispose]()
  expect(vi.getTimerCount()).toBe(0)
})

test("a collection that could not be made leaves no timer", () => {
  const register = new Registry()
  register.registerMetric({ name: "sojourn_tasks" } as never)
  expect(() => collectSessionMetrics(register)).toThrow("sojourn_tasks")
  expect(vi.getTimerCount()).toBe(0)
})
