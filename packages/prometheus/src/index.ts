export { collectSessionMetrics, type MetricsOptions } from "./collectSessionMetrics.ts"
