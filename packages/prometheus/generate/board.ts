/** The board for Grafana: what the dashboard's overview shows, over all processes and as far back as Prometheus keeps it. */
import { expressions, sumBy } from "./promql.ts"

/** Of Grafana 12.2 and later; earlier ones read it as well. */
const schemaVersion = 42
const range = "$__rate_interval"
const { quantile, rate, series } = expressions({ kind: "=~$kind", instance: "=~$instance" })

interface Target {
  readonly expr: string
  readonly legend: string
  readonly format?: "heatmap"
  readonly exemplar?: true | undefined
}
interface Panel {
  readonly title: string
  readonly description: string
  readonly type: "stat" | "timeseries" | "heatmap"
  readonly unit: string
  readonly targets: ReadonlyArray<Target>
  /** Of 24. */
  readonly width: number
  readonly stacked?: true
  readonly max?: number
}
interface Row {
  readonly title: string
  readonly panels: ReadonlyArray<Panel>
}

const graph = (
  title: string,
  description: string,
  unit: string,
  targets: Panel["targets"],
  more: Partial<Pick<Panel, "stacked" | "max" | "width">> = {},
): Panel => ({ type: "timeseries", title, description, unit, targets, width: 8, ...more })
const figure = (title: string, description: string, unit: string, expr: string): Panel => ({
  type: "stat",
  title,
  description,
  unit,
  targets: [{ expr, legend: "" }],
  width: 4,
})
const quantiles = (
  name: string,
  match?: Readonly<Record<string, string>>,
  exemplar?: true,
): Panel["targets"] =>
  [0.5, 0.95, 0.99].map((share) => ({
    expr: quantile(share, name, range, [], match),
    legend: `p${share * 100}`,
    exemplar,
  }))
const since = (name: string): string => `time() - min by (kind) (${series(name)})`

const rows: ReadonlyArray<Row> = [
  {
    title: "Now",
    panels: [
      figure("Sessions", "Live, in all states.", "short", sumBy([], series("sessions"))),
      figure(
        "Of the limit",
        "Of the kind that is nearest to its maxSessions.",
        "percentunit",
        `max(${sumBy(["kind", "instance"], series("sessions"))} / ${sumBy(["kind", "instance"], series("sessions_limit"))})`,
      ),
      figure(
        "Waiting tasks",
        "For a turn, or for their session.",
        "short",
        sumBy([], series("tasks", { state: "queued" })),
      ),
      figure(
        "Refusals",
        "Tasks and leases refused.",
        "reqps",
        sumBy([], rate("session_refusals_total", range)),
      ),
      figure(
        "Failures",
        "Share of the tasks that ended in an error of their own, or were cut by us.",
        "percentunit",
        `${sumBy([], rate("tasks_completed_total", range, { outcome: "=~failed|timedOut|interrupted" }))} / ${sumBy([], rate("tasks_completed_total", range))}`,
      ),
      figure(
        "Warnings",
        "Raised now, notices left out.",
        "short",
        sumBy([], series("warnings_active", { severity: "!=notice" })),
      ),
      figure(
        "Quarantined",
        "Keys that have been lost too often, and wait.",
        "short",
        sumBy([], series("sessions", { state: "Quarantined" })),
      ),
    ],
  },
  {
    title: "Sessions",
    panels: [
      graph(
        "Sessions by state",
        "Their sum is how many are live.",
        "short",
        [{ expr: sumBy(["state"], series("sessions")), legend: "{{state}}" }],
        { stacked: true },
      ),
      graph("Openings and closes", "Closes are below the line.", "ops", [
        {
          expr: sumBy(["generation", "outcome"], rate("session_openings_total", range)),
          legend: "{{generation}}: {{outcome}}",
        },
        { expr: `-${sumBy(["reason"], rate("session_closes_total", range))}`, legend: "closed: {{reason}}" },
      ]),
      graph(
        "Uses that found their session ready",
        "The rest had to wait until it was opened.",
        "percentunit",
        [
          {
            expr: `${sumBy(["kind"], rate("session_acquisitions_total", range, { result: "hit" }))} / ${sumBy(["kind"], rate("session_acquisitions_total", range))}`,
            legend: "{{kind}}",
          },
        ],
        { max: 1 },
      ),
      graph(
        "Until the session was ready",
        "Of uses that had to wait for that.",
        "s",
        quantiles("session_acquire_duration_seconds"),
      ),
      graph(
        "Opening",
        "Of openings that succeeded.",
        "s",
        quantiles("session_open_duration_seconds", { outcome: "succeeded" }),
      ),
      graph(
        "Closing",
        "Until all was released, or abandoned.",
        "s",
        quantiles("session_close_duration_seconds"),
      ),
      graph("Lifetime", "From ready to closing.", "s", quantiles("session_lifetime_seconds")),
      graph(
        "Use of the limit",
        "Live sessions of maxSessions.",
        "percentunit",
        [
          {
            expr: `${sumBy(["kind"], series("sessions"))} / ${sumBy(["kind"], series("sessions_limit"))}`,
            legend: "{{kind}}",
          },
        ],
        { max: 1 },
      ),
      graph("Leases, and the longest idle", "", "short", [
        { expr: sumBy(["kind"], series("session_leases")), legend: "{{kind}}: leases" },
        { expr: sumBy(["kind"], series("sessions_idle")), legend: "{{kind}}: idle" },
      ]),
    ],
  },
  {
    title: "Tasks",
    panels: [
      graph(
        "Tasks by outcome",
        "Those that were never started among them.",
        "ops",
        [{ expr: sumBy(["outcome"], rate("tasks_completed_total", range)), legend: "{{outcome}}" }],
        { stacked: true },
      ),
      {
        type: "heatmap",
        title: "Task latency",
        description: "From start to the real end.",
        unit: "s",
        targets: [
          {
            expr: sumBy(["le"], `increase(${series("task_duration_seconds", {}, "_bucket")}[${range}])`),
            legend: "{{le}}",
            format: "heatmap",
            exemplar: true,
          },
        ],
        width: 8,
      },
      graph(
        "Task latency, quantiles",
        "From start to the real end.",
        "s",
        quantiles("task_duration_seconds", {}, true),
      ),
      graph("Slowest tasks", "The ten highest p95 by name.", "s", [
        {
          expr: `topk(10, ${quantile(0.95, "task_duration_seconds", range, ["kind", "task"])})`,
          legend: "{{kind}}: {{task}}",
        },
      ]),
      graph("Queue wait", "From hand-in to start.", "s", quantiles("task_queue_wait_seconds")),
      graph(
        "Tasks by state",
        "",
        "short",
        [{ expr: sumBy(["state"], series("tasks")), legend: "{{state}}" }],
        { stacked: true },
      ),
      graph("Oldest running task", "How long it has been running.", "s", [
        { expr: since("task_oldest_start_timestamp_seconds"), legend: "{{kind}}" },
      ]),
      graph(
        "Stops by reason",
        "Tasks told to stop.",
        "ops",
        [{ expr: sumBy(["reason"], rate("task_stops_total", range)), legend: "{{reason}}" }],
        { stacked: true },
      ),
      graph("Until a stopped task ended", "Or was abandoned.", "s", quantiles("task_stop_duration_seconds")),
    ],
  },
  {
    title: "Trouble",
    panels: [
      graph(
        "Warnings",
        "Raised now.",
        "short",
        [{ expr: `${sumBy(["warning"], series("warnings_active"))} > 0`, legend: "{{warning}}" }],
        { stacked: true },
      ),
      graph("Warnings raised", "How often, in each interval.", "short", [
        {
          expr: `${sumBy(["warning"], `increase(${series("warning_activations_total")}[${range}])`)} > 0`,
          legend: "{{warning}}",
        },
      ]),
      graph(
        "Refusals by reason",
        "",
        "ops",
        [{ expr: sumBy(["reason"], rate("session_refusals_total", range)), legend: "{{reason}}" }],
        { stacked: true },
      ),
      graph("Losses and restarts", "Generations lost, and those that were opened to replace one.", "ops", [
        { expr: sumBy(["kind"], rate("session_lost_total", range)), legend: "{{kind}}: lost" },
        {
          expr: sumBy(
            ["kind"],
            rate("session_openings_total", range, { generation: "again", outcome: "succeeded" }),
          ),
          legend: "{{kind}}: replaced",
        },
        {
          expr: sumBy(["kind"], rate("session_probes_total", range, { answer: "bad" })),
          legend: "{{kind}}: bad probes",
        },
      ]),
      graph("Leaks", "Generations and tasks that were given up, and what has not ended of them.", "short", [
        { expr: sumBy(["kind"], series("sessions_leaked")), legend: "{{kind}}: leaked now" },
        {
          expr: `${sumBy(["kind"], series("tasks_abandoned_total"))} - ${sumBy(["kind"], series("tasks_ended_late_total"))}`,
          legend: "{{kind}}: tasks that never ended",
        },
      ]),
      graph(
        "Failures nobody was told of",
        "Background work that failed, calls that would have waited for themselves.",
        "ops",
        [
          {
            expr: sumBy(["kind"], rate("tasks_failed_unobserved_total", range)),
            legend: "{{kind}}: background",
          },
          { expr: sumBy(["kind"], rate("calls_reentrant_total", range)), legend: "{{kind}}: re-entrant" },
        ],
      ),
      graph("Drains", "Registries that are draining, and how drains ended in the last hour.", "short", [
        { expr: sumBy(["kind"], series("registries", { phase: "draining" })), legend: "{{kind}}: draining" },
        { expr: sumBy(["outcome"], `increase(${series("drains_total")}[1h])`), legend: "{{outcome}}" },
      ]),
      graph(
        "Of Sojourn itself",
        "Mistakes of ours, what subscribers missed or threw, names without a label, scrapes.",
        "short",
        [
          { expr: sumBy([], series("defects_total")), legend: "defects" },
          { expr: sumBy([], series("events_dropped_total")), legend: "events dropped" },
          { expr: sumBy([], series("listener_errors_total")), legend: "listener errors" },
          { expr: sumBy(["label"], series("label_overflow_total")), legend: "other: {{label}}" },
          { expr: sumBy([], series("scrape_errors_total")), legend: "scrape errors" },
        ],
      ),
    ],
  },
  {
    title: "Process",
    panels: [
      graph(
        "Event loop stall",
        "The longest lateness of each second: quantiles over the seconds.",
        "s",
        quantiles("eventloop_stall_seconds"),
      ),
      graph(
        "Event loop utilization",
        "Share of the time in which it was busy.",
        "percentunit",
        [{ expr: series("nodejs_eventloop_utilization_ratio"), legend: "{{instance}}" }],
        { max: 1 },
      ),
      graph("Scrape", "How long it took.", "s", [
        { expr: series("scrape_duration_seconds"), legend: "{{instance}}" },
      ]),
      graph(
        "Versions",
        "Processes by what they run.",
        "short",
        [
          {
            expr: sumBy(["version", "node", "effect"], series("build_info")),
            legend: "{{version}}, Node {{node}}, effect {{effect}}",
          },
        ],
        { stacked: true, width: 24 },
      ),
    ],
  },
]

const datasource = { type: "prometheus", uid: "${datasource}" }
const letter = (index: number): string => String.fromCharCode(65 + index)

const heights = { stat: 4, timeseries: 8, heatmap: 8 } as const

const custom = ({ stacked }: Panel) => ({
  drawStyle: "line",
  lineWidth: 1,
  fillOpacity: stacked === true ? 30 : 5,
  showPoints: "never",
  spanNulls: false,
  stacking: { mode: stacked === true ? "normal" : "none", group: "A" },
})
const optionsOf = ({ type, unit }: Panel): object => {
  switch (type) {
    case "stat":
      return {
        colorMode: "value",
        graphMode: "area",
        justifyMode: "auto",
        orientation: "auto",
        reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
        textMode: "auto",
        wideLayout: true,
      }
    case "timeseries":
      return {
        legend: { calcs: [], displayMode: "list", placement: "bottom", showLegend: true },
        tooltip: { mode: "multi", sort: "desc" },
      }
    case "heatmap":
      return {
        calculate: false,
        cellGap: 1,
        color: {
          mode: "scheme",
          scheme: "Oranges",
          scale: "exponential",
          exponent: 0.5,
          steps: 64,
          reverse: false,
        },
        exemplars: { color: "rgba(255,0,255,0.7)" },
        filterValues: { le: 1e-9 },
        legend: { show: true },
        rowsFrame: { layout: "auto" },
        tooltip: { mode: "single", yHistogram: false },
        yAxis: { axisPlacement: "left", unit },
      }
  }
}
const panelOf = (panel: Panel, id: number, x: number, y: number): object => ({
  id,
  type: panel.type,
  title: panel.title,
  description: panel.description,
  datasource,
  gridPos: { h: heights[panel.type], w: panel.width, x, y },
  fieldConfig: {
    defaults: {
      unit: panel.type === "heatmap" ? "short" : panel.unit,
      // An axis that begins at nothing; closes are drawn below it.
      ...(panel.title === "Openings and closes" ? undefined : { min: 0 }),
      ...(panel.max === undefined ? undefined : { max: panel.max }),
      color: { mode: panel.type === "stat" ? "thresholds" : "palette-classic" },
      thresholds: { mode: "absolute", steps: [{ color: "green", value: null }] },
      custom: panel.type === "timeseries" ? custom(panel) : {},
    },
    overrides: [],
  },
  options: optionsOf(panel),
  targets: panel.targets.map(({ exemplar, expr, format, legend }, index) => ({
    refId: letter(index),
    datasource,
    editorMode: "code",
    expr,
    legendFormat: legend === "" ? "__auto" : legend,
    format: format ?? "time_series",
    exemplar: exemplar === true,
    range: true,
    instant: false,
  })),
})

const laidOut = (): ReadonlyArray<object> => {
  const made: Array<object> = []
  let y = 0
  for (const { panels, title } of rows) {
    made.push({
      id: made.length + 1,
      type: "row",
      title,
      collapsed: false,
      gridPos: { h: 1, w: 24, x: 0, y },
      panels: [],
    })
    y++
    let x = 0
    let height = 0
    for (const panel of panels) {
      if (x + panel.width > 24) {
        y += height
        x = 0
        height = 0
      }
      made.push(panelOf(panel, made.length + 1, x, y))
      x += panel.width
      height = Math.max(height, heights[panel.type])
    }
    y += height
  }
  return made
}

const variable = (name: string, label: string, metric = "") => ({
  name,
  label,
  type: "query",
  datasource,
  definition: `label_values(${metric}, ${name})`,
  query: {
    qryType: 1,
    query: `label_values(${metric}, ${name})`,
    refId: `PrometheusVariableQueryEditor-${name}`,
  },
  includeAll: true,
  multi: true,
  allValue: ".*",
  current: { selected: true, text: ["All"], value: ["$__all"] },
  hide: 0,
  options: [],
  refresh: 2,
  regex: "",
  sort: 1,
  skipUrlSync: false,
})

const [everyKind, everyInstance] = ["registries", "build_info"].map((name) => expressions().series(name))

export const board = (): string => {
  const made = {
    uid: "sojourn",
    title: "Sojourn",
    description: "Sessions and their tasks.",
    tags: ["sojourn"],
    schemaVersion,
    version: 1,
    editable: true,
    graphTooltip: 1,
    fiscalYearStartMonth: 0,
    preload: false,
    liveNow: false,
    refresh: "30s",
    time: { from: "now-1h", to: "now" },
    timepicker: {},
    timezone: "browser",
    links: [],
    annotations: {
      list: [
        {
          builtIn: 1,
          datasource: { type: "grafana", uid: "-- Grafana --" },
          enable: true,
          hide: true,
          iconColor: "rgba(0, 211, 255, 1)",
          name: "Annotations & Alerts",
          type: "dashboard",
        },
      ],
    },
    templating: {
      list: [
        {
          name: "datasource",
          label: "Data source",
          type: "datasource",
          query: "prometheus",
          includeAll: false,
          multi: false,
          current: {},
          hide: 0,
          options: [],
          refresh: 1,
          regex: "",
          skipUrlSync: false,
        },
        variable("kind", "Kind", everyKind),
        variable("instance", "Instance", everyInstance),
      ],
    },
    panels: laidOut(),
  }
  return `${JSON.stringify(made, null, 2)}\n`
}

/** Every expression of the board, as Prometheus is asked: with everything chosen. */
export const boardExpressions = (rateInterval: string): ReadonlyArray<string> =>
  rows
    .flatMap(({ panels }) => panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)))
    .map((expr) =>
      expr.replaceAll(range, rateInterval).replaceAll("$kind", ".*").replaceAll("$instance", ".*"),
    )
