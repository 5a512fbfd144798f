/** Expressions over the metrics there are: a name or a label that does not exist is an error here, not an empty panel. */
import { metrics, prefix, type SeenMetric } from "./metrics.ts"

type Part = "" | "_bucket" | "_count" | "_sum"
/** `state: "Ready"`, or with its operator: `state: "=~Ready|Opening"`. */
export type Match = Readonly<Record<string, string>>

/** Labels that a scrape adds, or that a histogram's buckets have. */
const scraped = ["instance", "job"]

const metricOf = (name: string): SeenMetric => {
  const found = metrics.find((metric) => metric.name === prefix + name || metric.name === name)
  if (found === undefined) throw new Error(`there is no metric ${name}`)
  return found
}
const matcher = ([label, value]: readonly [string, string]): string => {
  const [, operator = "=", text = ""] = /^(=~|!~|!=|)(.*)$/s.exec(value) ?? []
  return `${label}${operator === "" ? "=" : operator}${JSON.stringify(text)}`
}

/** `common`: matched wherever the metric has such a label. */
export const expressions = (common: Match = {}) => {
  const series = (name: string, match: Match = {}, part: Part = ""): string => {
    const { labels, name: full, type } = metricOf(name)
    if ((part !== "") !== (type === "histogram")) throw new Error(`${full}${part}: it is a ${type}`)
    const known = new Set([...labels, ...scraped, ...(part === "_bucket" ? ["le"] : [])])
    for (const label of Object.keys(match))
      if (!known.has(label)) throw new Error(`${full} has no label ${label}`)
    const all = Object.entries({
      ...Object.fromEntries(Object.entries(common).filter(([label]) => known.has(label))),
      ...match,
    })
    return `${full}${part}${all.length === 0 ? "" : `{${all.map(matcher).join(",")}}`}`
  }
  const over = (what: "rate" | "increase") => (name: string, range: string, match?: Match, part?: Part) =>
    `${what}(${series(name, match, part)}[${range}])`
  const rate = over("rate")
  const increase = over("increase")
  return {
    series,
    rate,
    increase,
    /** Of a histogram; `by`: besides `le`. */
    quantile: (
      share: number,
      name: string,
      range: string,
      by: ReadonlyArray<string> = [],
      match?: Match,
    ): string =>
      `histogram_quantile(${share}, sum by (${[...by, "le"].join(", ")}) (${rate(name, range, match, "_bucket")}))`,
  }
}

export const sumBy = (labels: ReadonlyArray<string>, expression: string): string =>
  labels.length === 0 ? `sum(${expression})` : `sum by (${labels.join(", ")}) (${expression})`
export const sumWithout = (labels: ReadonlyArray<string>, expression: string): string =>
  `sum without (${labels.join(", ")}) (${expression})`
