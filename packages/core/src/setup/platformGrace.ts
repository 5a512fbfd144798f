/**
 * How long a platform waits from asking a process to end until it kills it, as far as its surroundings tell. Where each
 * figure is from: docs/setup/SOJOURN_DRAIN_TOO_LONG.md.
 */
import { milliseconds } from "../options.ts"
import type { Time } from "../SessionOptions.ts"

export interface Surroundings {
  readonly env: { readonly [name: string]: string | undefined }
  /** `docker stop` would ask this very process. Asked last, because it costs a look at the disk. */
  readonly askedByDocker: () => boolean
}

export interface PlatformGrace {
  readonly platform: string
  readonly ms: number
}

export const graceVariable = "SOJOURN_PLATFORM_GRACE"

/** What `SOJOURN_PLATFORM_GRACE` says counts; a text is why it says nothing. Undefined where nothing is recognised. */
export const platformGrace = (surroundings: Surroundings): PlatformGrace | string | undefined => {
  const said = surroundings.env[graceVariable]?.trim()
  if (said === undefined || said === "") return recognised(surroundings)
  try {
    return { platform: graceVariable, ms: milliseconds(graceVariable, said as Time, 0) }
  } catch {
    return `${graceVariable} is ${JSON.stringify(said.slice(0, 64))}, which is no time such as "45 seconds".`
  }
}

/** The first that is there counts: who manages the process itself comes before what all of that runs in. */
const recognised = ({ env, askedByDocker }: Surroundings): PlatformGrace | undefined => {
  const has = (name: string): boolean => (env[name] ?? "") !== ""
  if (has("pm_id")) return { platform: "PM2", ms: pm2Grace(env["kill_timeout"]) }
  if (has("DYNO")) return { platform: "Heroku", ms: 30_000 }
  if (has("FLY_APP_NAME")) return { platform: "Fly.io", ms: 5_000 }
  if (env["RENDER"] === "true") return { platform: "Render", ms: 30_000 }
  if (has("ECS_CONTAINER_METADATA_URI_V4") || has("ECS_CONTAINER_METADATA_URI"))
    return { platform: "Amazon ECS", ms: 30_000 }
  const cluster = has("KUBERNETES_SERVICE_HOST")
  // Both is Knative in a cluster of one's own: its grace is the revision's timeout, which nothing here tells.
  if (has("K_SERVICE")) return cluster ? undefined : { platform: "Cloud Run", ms: 10_000 }
  if (cluster) return { platform: "Kubernetes", ms: 30_000 }
  if (has("INVOCATION_ID")) return { platform: "systemd", ms: 90_000 }
  return askedByDocker() ? { platform: "Docker", ms: 10_000 } : undefined
}

/** PM2 hands its own options on as variables. */
const pm2Grace = (given: string | undefined): number =>
  given !== undefined && /^[1-9]\d{0,8}$/.test(given) ? Number(given) : 1_600
