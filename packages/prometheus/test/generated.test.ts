/** One catalogue: what is scraped, documented, drawn and alerted on is the same, and nothing of it is out of date. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { createSessions } from "@sojourn/core"
import { Registry } from "prom-client"
import { expect, test } from "vitest"
import { alerts } from "../generate/alerts.ts"
import { board, boardExpressions } from "../generate/board.ts"
import { made } from "../generate/made.ts"
import { collectSessionMetrics } from "../src/index.ts"
import { parse } from "./exposition.ts"
import { readExpression, type Selector } from "./expressions.ts"

const read = (path: string): string => readFileSync(path, "utf8")
const docs = join(import.meta.dirname, "../../../docs")

/** Every label of every metric of a real scrape, with its values. */
const scraped = async () => {
  const register = new Registry()
  await using sessions = createSessions({ name: "seen", open: () => ({}) })
  const held = Promise.withResolvers<void>()
  const running = sessions.run("a", () => held.promise, { name: "turn" })
  await sessions.run("b", () => 1, { name: "turn" })
  using collection = collectSessionMetrics(register, { sessions: [sessions] })
  expect(collection).toBeDefined()
  const families = parse(await register.metrics())
  held.resolve()
  await running
  const labelsOf = ({
    samples,
    type,
  }: {
    readonly samples: ReadonlyMap<string, number>
    readonly type: string
  }) => {
    const labels = new Map<string, Set<string>>()
    for (const id of samples.keys())
      for (const [, label = "", value = ""] of id.matchAll(/(\w+)=("(?:[^"\\]|\\.)*")/g)) {
        if (type === "histogram" && label === "le" && !id.startsWith("_bucket")) throw new Error(id)
        labels.set(label, (labels.get(label) ?? new Set()).add(JSON.parse(value) as string))
      }
    return labels
  }
  return new Map(
    [...families].map(([name, family]) => [
      name,
      { type: family.type, help: family.help, labels: labelsOf(family) },
    ]),
  )
}

/** The cells of each row whose first cell is a name in back ticks, below the heading. */
const rows = (heading: string): ReadonlyArray<ReadonlyArray<string>> => {
  const section =
    read(join(import.meta.dirname, "../README.md"))
      .split(`\n## ${heading}\n`)[1]
      ?.split("\n## ")[0] ?? ""
  return section
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    )
}

test("the files that are made are what the catalogue makes of them: run `generate` if not", () => {
  for (const [file, text] of made(read)) expect([file, read(file)]).toEqual([file, text])
})

test("the README's table is what is scraped: names, types, labels, meanings, in order; buckets too", async () => {
  const metrics = await scraped()
  const shown = [...metrics].map(([name, { help, labels, type }]) => [
    `\`${name}\``,
    type,
    [...labels.keys()].filter((label) => label !== "le").toSorted(),
    help,
  ])
  const documented = rows("Metrics").map(([name, type, labels = "", , help]) => [
    name,
    type,
    [...labels.matchAll(/`(\w+)`/g)].map(([, label = ""]) => label).toSorted(),
    help,
  ])
  expect(documented).toEqual(shown)
  const buckets = [...metrics].flatMap(([name, { labels, type }]) =>
    type === "histogram" ? [[`\`${name}\``, [...(labels.get("le") ?? [])].slice(0, -1).join(", ")]] : [],
  )
  expect(rows("Buckets")).toEqual(buckets)
})

/** Why an expression can give nothing, or not what it says. */
const faults = (metrics: Awaited<ReturnType<typeof scraped>>, expression: string): ReadonlyArray<string> => {
  const added = ["instance", "job"]
  const { grouping, selectors } = readExpression(expression)
  const known = new Set(added)
  const faultsOf = ({ matchers, name }: Selector): ReadonlyArray<string> => {
    const family = name.replace(/_(?:bucket|sum|count)$/, "")
    const metric = metrics.get(name) ?? metrics.get(family)
    if (metric === undefined) return [`no metric ${name}`]
    if ((metric.type === "histogram") !== (name !== family)) return [`${name} is a ${metric.type}`]
    for (const label of metric.labels.keys()) if (label !== "le" || name.endsWith("_bucket")) known.add(label)
    return matchers.flatMap(([label, operator, value]) => {
      if (added.includes(label)) return []
      const values = [...(metric.labels.get(label) ?? [])]
      if (values.length === 0) return [`${name} has no label ${label}`]
      const found = operator.endsWith("~")
        ? value.split("|").every((part) => values.some((one) => new RegExp(`^(?:${part})$`).test(one)))
        : values.includes(value)
      return found ? [] : [`${name}: no ${label} is ${value}`]
    })
  }
  const wrong = selectors.flatMap(faultsOf)
  if (selectors.length === 0) wrong.push("no metric at all")
  return [...wrong, ...grouping.filter((label) => !known.has(label)).map((label) => `no label ${label}`)]
}

test("every expression of the board and of the alerts uses what there is: names, labels, values, and their kind", async () => {
  const metrics = await scraped()
  const all = [...boardExpressions("5m"), ...alerts.map(({ expr }) => expr)]
  expect(all.length).toBeGreaterThan(50)
  expect(
    all.flatMap((expression) => faults(metrics, expression).map((fault) => `${expression}: ${fault}`)),
  ).toEqual([])
  for (const [expression, fault] of [
    ["sum(sojourn_sesions)", "no metric sojourn_sesions"],
    ["sum by (stat) (sojourn_sessions)", "no label stat"],
    ['sojourn_sessions{stat="Ready"} > 0', "sojourn_sessions has no label stat"],
    [
      'rate(sojourn_tasks_completed_total{outcome=~"failed|broke"}[5m])',
      "sojourn_tasks_completed_total: no outcome is failed|broke",
    ],
    ["sojourn_task_duration_seconds", "sojourn_task_duration_seconds is a histogram"],
    ["sum by (le) (sojourn_task_duration_seconds_sum)", "no label le"],
    ["sojourn_sessions_count", "sojourn_sessions_count is a gauge"],
    ["1 + 1", "no metric at all"],
  ])
    expect(faults(metrics, expression ?? "")).toEqual([fault])
})

test("every metric is drawn, or is of a kind with one that is", () => {
  const drawn = new Set(
    boardExpressions("5m").flatMap((text) => readExpression(text).selectors.map(({ name }) => name)),
  )
  const missing = rows("Metrics")
    .map(([name = ""]) => name.replaceAll("`", ""))
    .filter((name) => ![name, `${name}_bucket`].some((one) => drawn.has(one)))
  // The begin of what ends in `tasks_completed_total`; a moment; and a sum of what is drawn.
  expect(missing).toEqual([
    "sojourn_session_oldest_idle_timestamp_seconds",
    "sojourn_session_leaks_total",
    "sojourn_tasks_started_total",
    "sojourn_drain_duration_seconds",
  ])
})

test("the board is one that Grafana takes: ids, places and references", () => {
  const { panels, templating } = JSON.parse(board()) as {
    readonly panels: ReadonlyArray<{
      readonly id: number
      readonly type: string
      readonly title: string
      readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
      readonly targets?: ReadonlyArray<{
        readonly refId: string
        readonly expr: string
        readonly datasource: unknown
      }>
    }>
    readonly templating: { readonly list: ReadonlyArray<{ readonly name: string }> }
  }
  expect(templating.list.map(({ name }) => name)).toEqual(["datasource", "kind", "instance"])
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const taken = new Set<string>()
  for (const { gridPos, targets = [], title } of panels) {
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect([title, x < 24, taken.has(`${x},${y}`)]).toEqual([title, true, false])
        taken.add(`${x},${y}`)
      }
    expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length)
    for (const { datasource, expr } of targets) {
      expect(datasource).toEqual({ type: "prometheus", uid: "${datasource}" })
      for (const [, name] of expr.matchAll(/\$(\w+)/g))
        expect(["kind", "instance", "__rate_interval"]).toContain(name)
    }
  }
})

test("each alert says what it is about and has its section in the guide; the guide has no other", () => {
  const guide = read(join(docs, "guides/alerts.md"))
  const sections = [...guide.matchAll(/^## (Sojourn\w+)$/gm)].map(([, name]) => name)
  expect(sections).toEqual(alerts.map(({ name }) => name))
  expect(new Set(sections).size).toBe(sections.length)
  for (const { description, expr, summary } of alerts) {
    expect(summary.length).toBeLessThan(140)
    expect(description).toMatch(/^(?:[A-Z]|docs\/).*\.$/)
    // Templates can only name labels that the expression leaves.
    const { grouping } = readExpression(expr)
    for (const [, label = ""] of summary.matchAll(/\$labels\.(\w+)/g))
      expect([summary, label, /by \(/.test(expr) && !grouping.includes(label)]).toEqual([
        summary,
        label,
        false,
      ])
  }
})
