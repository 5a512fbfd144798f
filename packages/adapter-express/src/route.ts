import { checkedFunction, invalidOption } from "@sojourn/core/host"
import type { AnyRequest, AnyResponse } from "./express.ts"
import { isCaught, isCaughtNoMore } from "./rejections.ts"

export type Next = (error?: unknown) => void

/**
 * A handler whose rejection reaches the error handlers under Express 4 as well, as it does under Express 5 without it.
 * Typed as Express types the handler, so that `req.params` and the rest are inferred where it is inline. Not for error
 * handlers.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const route = <Handler extends (req: never, res: never, next: Next) => unknown>(
  handler: Handler,
): Handler => {
  checkedFunction("handler", handler)
  // Express knows an error handler by its four parameters, and would take this one for another kind.
  if (handler.length > 3) throw invalidOption("handler: one with at most 3 parameters is allowed.")
  const handle = handler as unknown as (req: AnyRequest, res: AnyResponse, next: Next) => unknown
  // Express 5 hears of a rejection that is not caught here a second time.
  const routed = async (req: AnyRequest, res: AnyResponse, next: Next): Promise<void> => {
    const passOn: Next = (error) => {
      isCaughtNoMore(req)
      next(error)
    }
    isCaught(req)
    try {
      await handle(req, res, passOn)
    } catch (error) {
      // Without an error Express would go on as if all were well.
      passOn(error ?? new Error("A handler rejected without an error."))
    }
  }
  return routed as unknown as Handler
}
