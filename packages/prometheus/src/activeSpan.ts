/** The span of OpenTelemetry that is active here, where the process has OpenTelemetry at all. */
import { createRequire } from "node:module"

interface SpanContext {
  readonly traceId: string
  readonly spanId: string
  /** The first bit: it is recorded, so that its trace can be found. */
  readonly traceFlags: number
}
/** What is used of `@opentelemetry/api`; all copies of its major version share the spans. */
interface Api {
  readonly trace: { readonly getActiveSpan: () => { readonly spanContext: () => SpanContext } | undefined }
}

const isApi = (found: unknown): found is Api =>
  typeof found === "object" &&
  found !== null &&
  "trace" in found &&
  typeof (found.trace as Partial<Api["trace"]> | undefined)?.getActiveSpan === "function"

const lookUp = (): Api | undefined => {
  try {
    const found: unknown = createRequire(import.meta.url)("@opentelemetry/api")
    return isApi(found) ? found : undefined
  } catch {
    // It is an optional peer.
    return undefined
  }
}

let api: Api | undefined | null = null

export const activeSpan = (): SpanContext | undefined => {
  if (api === null) api = lookUp()
  const context = api?.trace.getActiveSpan()?.spanContext()
  return context !== undefined && (context.traceFlags & 1) === 1 ? context : undefined
}
