import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { drainTooLong } from "../../src/setup/drainTooLong.ts"
import { platformGrace } from "../../src/setup/platformGrace.ts"

const graceIn = (env: Record<string, string>, docker = false): unknown => {
  const grace = platformGrace({ env, askedByDocker: () => docker })
  return typeof grace === "object" ? [grace.platform, grace.ms] : grace
}

describe("the platform's grace", () => {
  test.for<readonly [Record<string, string>, string, number]>([
    [{ KUBERNETES_SERVICE_HOST: "10.0.0.1" }, "Kubernetes", 30_000],
    [{ ECS_CONTAINER_METADATA_URI: "http://169.254.170.2/v3/x" }, "Amazon ECS", 30_000],
    [{ ECS_CONTAINER_METADATA_URI_V4: "http://169.254.170.2/v4/x" }, "Amazon ECS", 30_000],
    [{ K_SERVICE: "shop" }, "Cloud Run", 10_000],
    [{ DYNO: "web.1" }, "Heroku", 30_000],
    [{ FLY_APP_NAME: "shop" }, "Fly.io", 5000],
    [{ RENDER: "true" }, "Render", 30_000],
    [{ INVOCATION_ID: "0123456789abcdef" }, "systemd", 90_000],
    [{ pm_id: "0" }, "PM2", 1600],
    [{ pm_id: "3", kill_timeout: "45000" }, "PM2", 45_000],
    [{ pm_id: "3", kill_timeout: "soon" }, "PM2", 1600],
    [{ pm_id: "3", kill_timeout: "0" }, "PM2", 1600],
  ])("%j is %s, %i ms", ([env, platform, ms]) => {
    expect(graceIn(env)).toEqual([platform, ms])
    // Its container, if it has one, is the platform's own.
    expect(graceIn(env, true)).toEqual([platform, ms])
  })

  test("Docker is looked for last, and only where nothing else was found", () => {
    expect(graceIn({}, true)).toEqual(["Docker", 10_000])
    expect(graceIn({}, false)).toBeUndefined()
    let asked = 0
    const askedByDocker = (): boolean => ++asked > 0
    platformGrace({ env: { DYNO: "web.1" }, askedByDocker })
    platformGrace({ env: { SOJOURN_PLATFORM_GRACE: "1 minute" }, askedByDocker })
    platformGrace({ env: { K_SERVICE: "shop", KUBERNETES_SERVICE_HOST: "10.0.0.1" }, askedByDocker })
    expect(asked).toBe(0)
  })

  test("who manages the process itself comes before what that runs in", () => {
    expect(graceIn({ pm_id: "0", KUBERNETES_SERVICE_HOST: "10.0.0.1", INVOCATION_ID: "x" })).toEqual([
      "PM2",
      1600,
    ])
    expect(graceIn({ RENDER: "true", KUBERNETES_SERVICE_HOST: "10.0.0.1" })).toEqual(["Render", 30_000])
    expect(graceIn({ KUBERNETES_SERVICE_HOST: "10.0.0.1", INVOCATION_ID: "x" })).toEqual([
      "Kubernetes",
      30_000,
    ])
  })

  test("a cluster's own Knative, and a variable that is set to nothing, say nothing", () => {
    expect(graceIn({ K_SERVICE: "shop", KUBERNETES_SERVICE_HOST: "10.0.0.1" })).toBeUndefined()
    expect(graceIn({ DYNO: "", FLY_APP_NAME: "", RENDER: "", K_SERVICE: "" })).toBeUndefined()
    expect(graceIn({ RENDER: "canvas" })).toBeUndefined()
  })

  test.for<readonly [string, number]>([
    ["45 seconds", 45_000],
    [" 2 minutes ", 120_000],
    ["0 seconds", 0],
    ["Infinity", Infinity],
  ])("SOJOURN_PLATFORM_GRACE=%j counts before all else", ([said, ms]) => {
    const env = { SOJOURN_PLATFORM_GRACE: said, pm_id: "0", DYNO: "web.1" }
    expect(graceIn(env, true)).toEqual(["SOJOURN_PLATFORM_GRACE", ms])
  })

  test.for(["45", "45s", "soon", "-1 seconds", "-Infinity", "NaN", "1 fortnight"])(
    "SOJOURN_PLATFORM_GRACE=%j is no time, and said to be none",
    (said) => {
      expect(graceIn({ SOJOURN_PLATFORM_GRACE: said, DYNO: "web.1" })).toBe(
        `SOJOURN_PLATFORM_GRACE is ${JSON.stringify(said)}, which is no time such as "45 seconds".`,
      )
    },
  )

  test("SOJOURN_PLATFORM_GRACE empty is not said; a very long one is not repeated in full", () => {
    expect(graceIn({ SOJOURN_PLATFORM_GRACE: " ", DYNO: "web.1" })).toEqual(["Heroku", 30_000])
    expect(String(graceIn({ SOJOURN_PLATFORM_GRACE: "x".repeat(5000) })).length).toBeLessThan(200)
  })
})

describe("a drain against the platform's grace", () => {
  const docker = { platform: "Docker", ms: 10_000 }
  const drain = { name: "notebook", finishWithin: 2000, closeWithin: 8000 }

  test("one that ends in time, to the millisecond, is no matter", () => {
    expect(drainTooLong(drain, docker)).toBeUndefined()
    expect(drainTooLong({ ...drain, finishWithin: 2001 }, docker)).toBe(
      'A drain of "notebook" may take 10.001 s (2.001 s of finishWithin, 8 s of grace and close). Docker waits, unless told otherwise, 10 s.',
    )
  })

  test("one that may go on for ever is told where there is an end to the patience", () => {
    const endless = { ...drain, finishWithin: Infinity }
    expect(drainTooLong(endless, docker)).toContain("may take without end (without end of finishWithin,")
    expect(drainTooLong(endless, { platform: "SOJOURN_PLATFORM_GRACE", ms: Infinity })).toBeUndefined()
    expect(drainTooLong(drain, { platform: "SOJOURN_PLATFORM_GRACE", ms: 0 })).toContain(
      "SOJOURN_PLATFORM_GRACE is 0 s.",
    )
  })

  test("is told exactly when the sum is more", () => {
    const ms = fc.integer({ min: 0, max: 200_000 })
    fc.assert(
      fc.property(ms, ms, ms, (finishWithin, closeWithin, grace) => {
        const told = drainTooLong({ name: "x", finishWithin, closeWithin }, { platform: "Docker", ms: grace })
        expect(told !== undefined).toBe(finishWithin + closeWithin > grace)
      }),
    )
  })
})
