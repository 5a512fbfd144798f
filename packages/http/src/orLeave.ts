import type { SessionStream } from "@sojourn/core"

/** Its turn may be under way: it must not run on for an answer that is never made. */
export const orLeave = <A>(stream: SessionStream<unknown>, make: () => A): A => {
  try {
    return make()
  } catch (error) {
    void stream[Symbol.asyncDispose]()
    throw error
  }
}
