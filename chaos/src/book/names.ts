/** How the trace and the violations call things. */
import type { Ask, Call, Life, SiteRecord } from "./types.ts"

export const place = (site: SiteRecord, key: string): string => `${site.name}:${key}`
export const callName = (call: Call): string => `${call.verb} ${call.number} on ${place(call.site, call.key)}`
export const askName = (ask: Ask): string => `${ask.verb} ${ask.number} of ${place(ask.site, ask.key)}`
export const lifeName = (life: Life): string => `${place(life.site, life.key)}#${life.serial}`

const longest = 120
export const shown = (value: unknown): string => {
  if (value instanceof Error) {
    const reason = "reason" in value ? ` ${String(value.reason)}` : ""
    return `${value.name}${reason}: ${value.message}`.slice(0, longest)
  }
  if (typeof value === "object" && value !== null)
    return JSON.stringify(value)?.slice(0, longest) ?? "an object"
  return String(value).slice(0, longest)
}
