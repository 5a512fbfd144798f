import type { AnySessions, Options } from "@sojourn/core"
import { invalidOption, liveRegistries, processDraining, resolveNames } from "@sojourn/core/host"

export type ReadinessOptions = Options<{
  /** Instead of every registry of the process. */
  readonly sessions: ReadonlyArray<AnySessions>
}>

export interface Readiness {
  /** 200; 503 from the moment a drain begins. */
  readonly status: 200 | 503
  readonly body: { readonly status: "ready" | "draining" }
}

const ready: Readiness = { status: 200, body: { status: "ready" } }
const draining: Readiness = { status: 503, body: { status: "draining" } }

/**
 * May new work be sent here? For the probe of a load balancer; cheap enough for each second. Once `drainOnSignals` has
 * begun it stays red until the process exits. A registry that the application drains by itself is red for as long as it
 * drains; one that is listed in `sessions`, for good.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const readiness = (options: ReadinessOptions = {}): (() => Readiness) => {
  resolveNames(options, ["sessions"])
  const { sessions } = options
  if (sessions !== undefined && !(Array.isArray(sessions) && sessions.every(isRegistry)))
    throw invalidOption("sessions: a list of registries is allowed.")
  return () =>
    processDraining() || (sessions ?? liveRegistries()).some((one) => one.draining.aborted) ? draining : ready
}
const isRegistry = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "draining" in value && value.draining instanceof AbortSignal
