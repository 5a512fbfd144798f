/** Series in the shape that prom-client prints. */
import type { Sample } from "./ShownMetric.ts"

const labelled = (names: ReadonlyArray<string>, values: ReadonlyArray<string>): Record<string, string> =>
  Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""]))

/** `values`: one; or, with buckets, how many up to each, how many in all, and their sum. */
export const samplesOf = (
  name: string,
  labelNames: ReadonlyArray<string>,
  buckets: ReadonlyArray<number> | undefined,
  labelValues: ReadonlyArray<string>,
  values: ReadonlyArray<number>,
): Array<Sample> => {
  const labels = labelled(labelNames, labelValues)
  if (buckets === undefined) return [{ labels, value: values[0] ?? 0 }]
  const [count = 0, sum = 0] = values.slice(buckets.length)
  return [
    ...buckets.map((le, index) => ({
      labels: { le, ...labels },
      value: values[index] ?? 0,
      metricName: `${name}_bucket`,
    })),
    { labels: { le: "+Inf", ...labels }, value: count, metricName: `${name}_bucket` },
    { labels, value: sum, metricName: `${name}_sum` },
    { labels, value: count, metricName: `${name}_count` },
  ]
}
