import { readFileSync, writeFileSync } from "node:fs"
import { context, trace } from "@opentelemetry/api"
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { alerts } from "../generate/alerts.ts"
import { boardExpressions } from "../generate/board.ts"
import { files } from "../generate/made.ts"
import { application, type Application, users } from "./application.ts"
import { needed, Prometheus, promtool, temporary } from "./programs.ts"

beforeAll(needed)

describe("promtool", () => {
  test("finds nothing to say about a scrape", async () => {
    await using app = await application()
    await app.post("alice", "/add")
    const text = await app.text("/metrics")
    expect(text).toContain('sojourn_tasks_started_total{kind="counter",task="add"} 1')
    expect(await promtool(["check", "metrics"], text)).toEqual({ code: 0, output: "" })
    // It looks, and finds what is wrong.
    const wrong = text.replaceAll("sojourn_defects_total", "sojourn_defects")
    expect((await promtool(["check", "metrics"], wrong)).output).toContain("sojourn_defects ")
  })

  test("takes the alert rules", async () => {
    const { code, output } = await promtool(["check", "rules", files.rules])
    expect([code, output]).toEqual([0, expect.stringContaining(`SUCCESS: ${alerts.length} rules found`)])
  })

  test("the alerts fire when they should, and not before", async () => {
    using folder = temporary()
    const labels = 'instance="one",job="app",kind="room"'
    const series = (name: string, values: string, more = "") => ({
      series: `sojourn_${name}{${labels}${more}}`,
      values,
    })
    const found = (name: string, value: string) => {
      const alert = alerts.find((one) => one.name === name)
      if (alert === undefined) throw new Error(`no alert ${name}`)
      const filled = alert.summary
        .replaceAll("{{ $labels.kind }}", "room")
        .replaceAll("{{ $labels.instance }}", "one")
        .replaceAll(/\{\{ \$value \| \w+ \}\}/g, value)
      return {
        exp_labels: { severity: alert.severity, instance: "one", job: "app", kind: "room" },
        exp_annotations: {
          summary: filled,
          description: alert.description,
          runbook_url: `docs/guides/alerts.md#${name.toLowerCase()}`,
        },
      }
    }
    const at = (minutes: number, name: string, value?: string) => ({
      eval_time: `${minutes}m`,
      alertname: name,
      exp_alerts: value === undefined ? [] : [found(name, value)],
    })
    const cases = [
      {
        // One in fifty is refused, from the tenth minute on.
        input_series: [
          series("session_refusals_total", "0x10 1+1x60", ',reason="MaxSessions"'),
          series("session_refusals_total", "0+100x70", ',reason="NotFound"'),
          series("session_acquisitions_total", "0+49x70", ',result="hit"'),
        ],
        alert_rule_test: [at(9, "SojournRefusing"), at(30, "SojournRefusing", "2%")],
      },
      {
        input_series: [
          series("sessions", "80x20 95x40", ',state="Ready"'),
          series("sessions", "0x60", ',state="Closing"'),
          series("sessions_limit", "100x60"),
        ],
        alert_rule_test: [
          at(20, "SojournNearLimit"),
          at(25, "SojournNearLimit"),
          at(40, "SojournNearLimit", "95%"),
        ],
      },
      {
        input_series: [
          series("session_openings_total", "0+6x40", ',generation="first",outcome="succeeded"'),
          series("session_openings_total", "0x20 0+2x20", ',generation="first",outcome="failed"'),
          series("session_openings_total", "0+50x40", ',generation="first",outcome="cancelled"'),
        ],
        alert_rule_test: [at(20, "SojournOpeningsFail"), at(40, "SojournOpeningsFail", "25%")],
      },
      {
        input_series: [series("sessions_leaked", "0x5 2x40")],
        alert_rule_test: [at(10, "SojournLeaking"), at(30, "SojournLeaking", "2")],
      },
      {
        // Of a kind that is gone the limit stays, at 0: no share of it is near.
        input_series: [series("sessions", "0x60", ',state="Ready"'), series("sessions_limit", "0x60")],
        alert_rule_test: [at(40, "SojournNearLimit")],
      },
      {
        input_series: [
          series("session_acquisitions_total", "0+10x60", ',result="hit"'),
          series("session_acquisitions_total", "0+30x60", ',result="miss"'),
        ],
        alert_rule_test: [at(20, "SojournReuseLow"), at(50, "SojournReuseLow", "25%")],
      },
      {
        input_series: [series("registries", "0x5 1x20", ',phase="draining"')],
        alert_rule_test: [at(8, "SojournDrainStuck")],
      },
      {
        input_series: [series("task_oldest_start_timestamp_seconds", "0x90")],
        alert_rule_test: [at(60, "SojournTaskRunsLong"), at(70, "SojournTaskRunsLong", "1h 10m 0s")],
      },
    ]
    const file = folder.path("alerts.test.json")
    writeFileSync(
      file,
      JSON.stringify({
        rule_files: [files.rules],
        evaluation_interval: "1m",
        tests: cases.map((one) => Object.assign({ interval: "1m" }, one)),
      }),
    )
    expect(await promtool(["test", "rules", file])).toMatchObject({
      code: 0,
      output: expect.stringContaining("SUCCESS"),
    })
    // A rule that waits for twice as long is found out.
    const later = folder.path("later.rules.yml")
    writeFileSync(later, readFileSync(files.rules, "utf8").replaceAll("for: 15m", "for: 30m"))
    const other = folder.path("later.test.json")
    writeFileSync(other, readFileSync(file, "utf8").replaceAll(files.rules, later))
    expect((await promtool(["test", "rules", other])).output).toContain("SojournLeaking")
  })
})

describe("a server that scrapes an application under traffic", () => {
  let app: Application
  let prometheus: Prometheus
  beforeAll(async () => {
    new NodeTracerProvider().register()
    app = await application()
    prometheus = await Prometheus.start(
      [
        ["text", app.port, "/metrics"],
        ["openmetrics", app.port, "/openmetrics"],
      ],
      [files.rules],
    )
    // So that it has seen every counter at 0: what is there from the start is no increase.
    await prometheus.until(async () => (await prometheus.query("sojourn_registries")).length === 4)
  })
  afterAll(async () => {
    await prometheus?.[Symbol.asyncDispose]()
    await app?.[Symbol.asyncDispose]()
    trace.disable()
    context.disable()
  })

  test("its numbers are those of the traffic", async () => {
    const turns = users.slice(2)
    const status = async (user: string, path: string) => (await app.post(user, path)).status
    const statuses = await Promise.all(turns.map((user) => status(user, "/add")))
    for (const user of turns) for (let turn = 0; turn < 4; turn++) statuses.push(await status(user, "/add"))
    expect(new Set(statuses)).toEqual(new Set([200]))
    for (let turn = 0; turn < 3; turn++) expect(await status("user0", "/fail")).toBe(500)
    expect(await status("nobody", "/add")).toBe(503)
    // One runs, one waits, one is refused.
    const slowly = await Promise.all([1, 2, 3].map(() => status("user1", "/slow")))
    expect(slowly.toSorted((a, b) => a - b)).toEqual([200, 200, 429])
    const job = 'job="text",kind="counter"'
    await prometheus.until(
      async () => (await prometheus.value(`sum(sojourn_tasks_completed_total{${job},task="slow"})`)) === 3,
    )
    const by = async (label: string, expression: string) =>
      Object.fromEntries(
        (await prometheus.query(`sum by (${label}) (${expression}) > 0`)).map(({ metric, value }) => [
          metric[label],
          Number(value[1]),
        ]),
      )
    expect(await by("outcome", `sojourn_tasks_completed_total{${job}}`)).toEqual({
      succeeded: 27,
      failed: 3,
      rejected: 2,
    })
    expect(await by("task", `sojourn_tasks_started_total{${job}}`)).toEqual({ add: 25, slow: 2, fail: 3 })
    expect(await by("state", `sojourn_sessions{${job}}`)).toEqual({ Ready: 5 })
    expect(await by("reason", `sojourn_session_refusals_total{${job}}`)).toEqual({ MaxQueued: 1 })
    expect(await by("outcome", `sojourn_session_openings_total{${job}}`)).toEqual({ succeeded: 5, failed: 1 })
    expect(await by("result", `sojourn_session_acquisitions_total{${job}}`)).toEqual({ miss: 6, hit: 25 })
    // Two of 150 ms each: the second waited for as long as the first ran.
    const bucket = (name: string, more = "") =>
      prometheus.value(`histogram_quantile(0.5, sum by (le) (sojourn_${name}_bucket{${job}${more}}))`)
    const slow = (await bucket("task_duration_seconds", ',task="slow"')) ?? 0
    expect(slow).toBeGreaterThan(0.1)
    expect(slow).toBeLessThanOrEqual(0.25)
    expect(await prometheus.value(`sojourn_task_queue_wait_seconds_sum{${job}}`)).toBeGreaterThan(0.1)
    expect(
      await prometheus.value(`sum(rate(sojourn_session_acquisitions_total{${job}}[1m]))`),
    ).toBeGreaterThan(0)
    expect(await prometheus.value('max(sojourn_scrape_duration_seconds{job="text"}) < 1')).toBeGreaterThan(0)
    expect(await prometheus.value("sum(sojourn_scrape_errors_total)")).toBe(0)
  })

  test("OpenMetrics is read as well, and says the same", async () => {
    await prometheus.until(async () => (await prometheus.value('min(up{job="openmetrics"})')) === 1)
    const both = await prometheus.query('sum by (job) (sojourn_tasks_started_total{task="add"})')
    expect(new Set(both.map(({ value }) => value[1]))).toEqual(new Set(["25"]))
    const { status, traceId } = await app.post("user3", "/slow")
    expect([status, traceId]).toEqual([200, expect.stringMatching(/^[0-9a-f]{32}$/)])
    await prometheus.until(async () => {
      const found = (await prometheus.ask("query_exemplars", {
        query: 'sojourn_task_duration_seconds_bucket{task="slow"}',
        start: String(Date.now() / 1000 - 600),
        end: String(Date.now() / 1000 + 1),
      })) as ReadonlyArray<{ exemplars: ReadonlyArray<{ labels: Record<string, string>; value: string }> }>
      const all = found.flatMap(({ exemplars }) => exemplars)
      return all.some(({ labels, value }) => labels["trace_id"] === traceId && Number(value) > 0.1)
    })
    const names = async (job: string) => {
      const { length } = await prometheus.query(
        `count by (__name__) ({job="${job}",__name__=~"sojourn_.+|nodejs_.+"})`,
      )
      return length
    }
    expect(await names("openmetrics")).toBe(await names("text"))
  })

  test("an alert of the rules fires when a task hangs", async () => {
    const all = (await prometheus.ask("rules")) as {
      groups: ReadonlyArray<{ rules: ReadonlyArray<{ name: string; health: string; lastError?: string }> }>
    }
    const rules = all.groups.flatMap((group) => group.rules)
    expect(rules.map(({ health, lastError, name }) => [name, health, lastError])).toEqual(
      alerts.map(({ name }) => [name, "ok", undefined]),
    )
    const firing = async () => {
      const { alerts: active } = (await prometheus.ask("alerts")) as {
        alerts: ReadonlyArray<{
          labels: Record<string, string>
          state: string
          annotations: Record<string, string>
        }>
      }
      return active.filter(({ labels, state }) => labels["job"] === "text" && state === "firing")
    }
    expect(await firing()).toEqual([])
    expect((await app.post("user2", "/hang")).status).toBe(504)
    // Somebody needs its slot, so it is given up when its grace is over.
    await app.post("user2", "/add")
    await prometheus.until(async () => (await firing()).length > 0)
    const [alert] = await firing()
    expect(alert?.labels).toMatchObject({
      alertname: "SojournTasksAbandoned",
      kind: "counter",
      severity: "warning",
    })
    expect(alert?.annotations["summary"]).toMatch(
      /^counter on 127\.0\.0\.1:\d+ has given up .+ tasks in 15 minutes$/,
    )
  })

  test("every expression of the board can be asked", async () => {
    for (const expression of boardExpressions("1m")) await prometheus.query(expression)
    const empty: Array<string> = []
    for (const expression of boardExpressions("1m"))
      if ((await prometheus.query(expression)).length === 0) empty.push(expression)
    // Nothing runs for long, so nothing is the oldest; and of warnings only those are drawn that are raised.
    expect(empty.filter((expression) => !/oldest|> 0$/.test(expression))).toEqual([])
  })
})
