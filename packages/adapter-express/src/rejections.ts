/** Who tells Express that a handler has rejected? Express 5 listens by itself; under Express 4 `route` has to. */
import { foundInSetup, isSetupCheckOn } from "@sojourn/core/host"
import type { AnyRequest } from "./express.ts"

/** Requests that are with a handler whose rejection is passed on. */
const caught = new WeakSet<object>()
export const isCaught = (req: object): void => void caught.add(req)
/** The next handler may be another matter. */
export const isCaughtNoMore = (req: object): void => void caught.delete(req)

/** What made the router of an application: Express 5 has none such. There from the start, and under every mount path. */
const isExpress4 = ({ app }: AnyRequest): boolean => {
  // Cheaper to ask again than to look through all that an application is.
  if (express5.has(app)) return false
  if ("lazyrouter" in app) return true
  express5.add(app)
  return false
}
const express5 = new WeakSet<object>()

/** Is a session asked for where its refusal would end the process? */
export const checkRejections = (req: AnyRequest): void => {
  if (!isExpress4(req) || caught.has(req) || !isSetupCheckOn("SOJOURN_REJECTIONS")) return
  foundInSetup(
    "SOJOURN_REJECTIONS",
    "A session was asked for in a handler under Express 4 that `route` does not wrap.",
  )
}
