/** The counted resources of the law model, and work that can hang, break, ignore its signal or come late. */
export {
  Ledger,
  storyOf,
  world,
  worldOf,
  type Policy,
  type Thing,
  type World,
} from "../../src/testing/laws/world.ts"

/** A promise settled from outside. */
export interface Gate<A = void> {
  readonly promise: Promise<A>
  readonly open: (value: A) => void
  readonly fail: (error: unknown) => void
}
export const gate = <A = void>(): Gate<A> => {
  const { promise, resolve, reject } = Promise.withResolvers<A>()
  promise.catch(() => {})
  return { promise, open: resolve, fail: reject }
}

/** How a promise stands, without waiting for it. */
export const outcomeOf = async (promise: Promise<unknown>): Promise<string> => {
  const pending = Symbol("pending")
  try {
    const value = await Promise.race([
      promise,
      new Promise((resolve) => setImmediate(() => resolve(pending))),
    ])
    return value === pending ? "pending" : `value ${String(value)}`
  } catch (error) {
    return describe(error)
  }
}
const describe = (error: unknown): string => {
  if (typeof error === "object" && error !== null && "_tag" in error) {
    return `${String(error._tag)} ${"reason" in error ? String(error.reason) : ""}`.trim()
  }
  return error instanceof Error ? `error ${error.message}` : `error ${String(error)}`
}
