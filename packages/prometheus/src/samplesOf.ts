/** Series in the shapes that prom-client prints and sends. */

/** As OpenMetrics has it: a task that fell into this bucket. */
export interface Exemplar {
  readonly labelSet: { readonly trace_id: string; readonly span_id: string }
  /** Seconds. */
  readonly value: number
  /** Epoch seconds. */
  readonly timestamp: number
}
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>
  /** Further labels: what prom-client has printed of such an object it keeps, so a line that was printed before costs little. */
  readonly sharedLabels?: Sample["labels"]
  value: number
  readonly metricName?: string
  exemplar?: Exemplar | undefined
}

const none: Sample["labels"] = {}

/** `shared`: for printing, once made and then filled again and again; otherwise for sending. */
export const samplesOf = (
  name: string,
  labelNames: ReadonlyArray<string>,
  buckets: ReadonlyArray<number> | undefined,
  labelValues: ReadonlyArray<string>,
  shared: boolean,
): Array<Sample> => {
  const own = Object.fromEntries(labelNames.map((label, index) => [label, labelValues[index] ?? ""]))
  const sample = (labels: Sample["labels"], metricName?: string): Sample => ({
    value: 0,
    ...(metricName === undefined ? undefined : { metricName }),
    ...(shared ? { labels: none, sharedLabels: { ...labels, ...own } } : { labels: { ...labels, ...own } }),
  })
  if (buckets === undefined) return [sample({})]
  return [
    ...[...buckets, "+Inf"].map((le) => sample({ le }, `${name}_bucket`)),
    sample({}, `${name}_sum`),
    sample({}, `${name}_count`),
  ]
}

/** `values`: one; or, of a histogram, how many up to each bucket, how many in all, and their sum. */
export const fill = (samples: Array<Sample>, values: ReadonlyArray<number>): void => {
  if (samples.length === 1) return put(samples, 0, values[0])
  const sum = samples.length - 2
  for (let index = 0; index < sum; index++) put(samples, index, values[index])
  put(samples, sum, values[sum])
  put(samples, sum + 1, values[sum - 1])
}

const put = (samples: Array<Sample>, index: number, value: number | undefined): void => {
  const sample = samples[index]
  if (sample !== undefined) sample.value = value ?? 0
}
