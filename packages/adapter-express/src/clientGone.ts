import type { Response } from "express"

const signals = new WeakMap<Response, AbortSignal>()

/** The client left before the answer was complete. */
export const hasLeft = (res: Response): boolean => res.closed && !res.writableFinished

/**
 * Aborts when the client leaves before the answer is complete; never after it. One signal and one listener a response,
 * however many handles share it, and both go with the response.
 */
export const clientGone = (res: Response): AbortSignal => {
  const known = signals.get(res)
  if (known !== undefined) return known
  const controller = new AbortController()
  const check = (): void => {
    if (hasLeft(res))
      controller.abort(new DOMException("The client left before the answer was complete.", "AbortError"))
  }
  signals.set(res, controller.signal)
  if (res.closed) check()
  else res.once("close", check)
  return controller.signal
}

/** Is it what a call rejects with because the client has left? */
export const isClientGone = (res: Response, error: unknown): boolean => {
  const signal = signals.get(res)
  return signal?.aborted === true && signal.reason === error
}
