import { expect } from "vitest"
import type { Opening } from "../../src/Sessions.ts"
import { checkOpen, type CheckOpen } from "../../src/testing/open/checkOpen.ts"

/** What `checkOpen` complains about, places without their folder and line. */
export const problemsOf = async <R>(
  open: (session: Opening) => R | PromiseLike<R>,
  options?: CheckOpen<R>,
): Promise<ReadonlyArray<string>> => {
  try {
    await checkOpen(open, { timeout: 500, ...options })
    return []
  } catch (error) {
    if (!(error instanceof AggregateError)) throw error
    expect(error.message.startsWith("checkOpen: this open does not keep the rules:\n")).toBe(true)
    return error.errors.map((one: Error) => {
      expect(error.message).toContain(`\n  - ${one.message}`)
      return one.message.replaceAll(/\S*\/(\w+\.test\.ts):\d+:\d+/g, "$1")
    })
  }
}
