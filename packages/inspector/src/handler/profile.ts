/** Profiles as answers. The code for them is loaded when one is asked for. */
import type { Attribution as Attributed } from "../profile/attribute.ts"
import { ProfileRefused } from "../profile/ProfileRefused.ts"
import type { Names } from "../names/Names.ts"
import type { Attribution, ProfileRequest } from "../protocol/profile.ts"
import { bounds } from "../protocol/words.ts"
import { nameOf } from "../rows/taskRow.ts"
import { Refusal } from "../safety/Refusal.ts"
import { cleaned } from "../safety/text.ts"

export interface File {
  readonly name: string
  readonly type: string
  readonly body: string | ReadableStream<Uint8Array>
}
export type Profiled = { readonly attribution: Attribution } | { readonly file: File }

/** @throws Refusal where it cannot be had now */
export const profiled = async (asked: ProfileRequest, names: Names): Promise<Profiled> => {
  try {
    switch (asked.profile) {
      case "attribution": {
        const { attribute } = await import("../profile/attribute.ts")
        return { attribution: onWire(await attribute({ forMs: asked.forMs, limit: asked.limit }), names) }
      }
      case "cpu": {
        const { cpuProfile } = await import("../profile/cpuProfile.ts")
        const { profile } = await cpuProfile({ forMs: asked.forMs, intervalUs: asked.intervalUs })
        return { file: file("cpuprofile", "application/json", JSON.stringify(profile)) }
      }
      case "heap": {
        const { heapSnapshot } = await import("../profile/heapSnapshot.ts")
        return {
          file: file("heapsnapshot", "application/octet-stream", heapSnapshot({ force: asked.force })),
        }
      }
    }
  } catch (error) {
    if (error instanceof ProfileRefused) throw new Refusal("not-possible", { detail: error.message })
    throw error
  }
}

export const file = (ending: string, type: string, body: File["body"]): File => ({
  name: `sojourn-${new Date().toISOString().replaceAll(/[:.]/g, "-")}.${ending}`,
  type,
  body,
})

const onWire = (attributed: Attributed, names: Names): Attribution => ({
  ...attributed,
  kinds: attributed.kinds.slice(0, 5000),
  rows: attributed.rows.slice(0, 5000).map((row) => named(row, names)),
})
const named = (row: Attributed["rows"][number], names: Names): Attribution["rows"][number] => {
  const { task, ...rest } = row
  if (task === undefined) return rest
  const session = names.known(row.kind, row.session)
  return { ...rest, task: session === undefined ? cleaned(task, bounds.name) : nameOf(task, session) }
}
