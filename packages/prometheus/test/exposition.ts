/** A reader of the text format that forgives nothing: what Prometheus would refuse, or misread, throws. */
export interface Family {
  readonly type: string
  readonly help: string
  readonly samples: Map<string, number>
  /** Of samples: OpenMetrics only. */
  readonly exemplars: Map<string, Exemplar>
}
export interface Exemplar {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** Epoch seconds. */
  readonly at: number
}

const line = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const withExemplar = /^(.*) # \{([^{}]*)\} (\S+) (\d+(?:\.\d+)?)$/
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y

const labelsOf = (text: string): ReadonlyArray<readonly [string, string]> => {
  const labels: Array<readonly [string, string]> = []
  label.lastIndex = 0
  while (label.lastIndex < text.length) {
    const [, name, value] = label.exec(text) ?? []
    if (name === undefined || value === undefined) throw new Error(`labels: ${text}`)
    if (labels.some(([other]) => other === name)) throw new Error(`label ${name} twice: ${text}`)
    labels.push([name, value.replaceAll(/\\(.)/g, (_, escaped) => (escaped === "n" ? "\n" : escaped))])
  }
  return labels
}
const numberOf = (text: string): number => {
  const value = text === "+Inf" ? Infinity : Number(text)
  if (Number.isNaN(value)) throw new Error(`value: ${text}`)
  return value
}
const suffixes: Readonly<Record<string, RegExp>> = {
  histogram: /_(?:bucket|sum|count)$/,
  counter: /(?!)/,
  gauge: /(?!)/,
}

/** `openMetrics`: counters' samples have the `_total` that their family has not, and the last line says EOF. */
export const parse = (text: string, openMetrics = false): Map<string, Family> => {
  const families = new Map<string, Family>()
  let help: readonly [string, string] | undefined
  let current: [name: string, Family] | undefined
  const lines = text.split("\n")
  if (lines.pop() !== "") throw new Error("no newline at the end")
  if (openMetrics && lines.pop() !== "# EOF") throw new Error("no EOF")
  for (const entry of lines) {
    const [, kind, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(entry) ?? []
    if (entry === "") {
      if (openMetrics) throw new Error("an empty line")
    } else if (kind === "HELP") {
      if (families.has(name)) throw new Error(`${name} twice`)
      help = [name, rest]
    } else if (kind === "TYPE") {
      if (help?.[0] !== name) throw new Error(`TYPE of ${name} without its HELP`)
      if (!(rest in suffixes)) throw new Error(`type ${rest}`)
      current = [name, { type: rest, help: help[1], samples: new Map(), exemplars: new Map() }]
      families.set(...current)
    } else {
      const [, own = entry, exemplar, exemplified = "", at = ""] = withExemplar.exec(entry) ?? []
      const [, sample = "", labels = "", value = ""] = line.exec(own) ?? []
      if (current === undefined || sample === "") throw new Error(`not a line: ${entry}`)
      const [family, { exemplars, samples, type }] = current
      const expected = openMetrics && type === "counter" ? `${family}_total` : family
      if (sample.replace(suffixes[type] ?? "", "") !== expected) throw new Error(`${sample} below ${family}`)
      const shown = labelsOf(labels).map(([key, text_]) => `${key}=${JSON.stringify(text_)}`)
      const id = `${sample.slice(family.length)}{${shown.toSorted().join(",")}}`
      if (samples.has(id)) throw new Error(`${sample} ${id} twice`)
      samples.set(id, numberOf(value))
      if (exemplar === undefined) continue
      if (!openMetrics || !sample.endsWith("_bucket")) throw new Error(`an exemplar of ${sample}`)
      exemplars.set(id, {
        labels: Object.fromEntries(labelsOf(exemplar)),
        value: numberOf(exemplified),
        at: Number(at),
      })
    }
  }
  for (const [name, family] of families) if (family.type === "histogram") checkBuckets(name, family)
  return families
}

const checkBuckets = (name: string, { samples }: Family): void => {
  const series = new Map<string, Array<[le: number, count: number]>>()
  for (const [id, count] of samples) {
    if (!id.startsWith("_bucket{")) continue
    const [, le = ""] = /le="([^"]*)"/.exec(id) ?? []
    const without = id.replace("_bucket", "").replace(/(?:,le="[^"]*"|le="[^"]*",?)/, "")
    series.set(without, [...(series.get(without) ?? []), [numberOf(le), count]])
  }
  for (const [id, buckets] of series) {
    const counts = buckets.map(([, count]) => count)
    const bounds = buckets.map(([le]) => le)
    for (const numbers of [counts, bounds])
      if (numbers.some((value, index) => value < (numbers[index - 1] ?? 0)))
        throw new Error(`${name}${id}: order`)
    if (bounds.at(-1) !== Infinity) throw new Error(`${name}${id}: no +Inf`)
    if (counts.at(-1) !== samples.get(`_count${id}`)) throw new Error(`${name}${id}: +Inf is not the count`)
    if (!samples.has(`_sum${id}`)) throw new Error(`${name}${id}: no sum`)
  }
}
