import { createSessions } from "@sojourn/core"
import { fromRequest } from "../src/index.ts"
const s = createSessions({ name: "x", open: () => ({ turns: 0 }) })
export const c = fromRequest(s, { owner: () => "a" })
export const h = c(null as never, null as never)
export const n: number = h.key
