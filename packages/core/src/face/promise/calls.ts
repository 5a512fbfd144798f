/** `call(key).query(input, options)`: the declared handlers and streams, as functions bound to a target. */
import type { Handlers, RunOptions, StreamHandlers, StreamOptions } from "../../SessionOptions.ts"
import type { Calls } from "../../Sessions.ts"
import type { Work } from "./PromiseTask.ts"
import type { Target, Verbs } from "./verbs.ts"

// No handler's name can hide it.
const bound = Symbol("target")

/** Functions are made when they are read, so that destructuring is safe and unread ones cost nothing. */
export const makeCalls = (
  handlers: Handlers<never>,
  streams: StreamHandlers<never>,
  verbs: Verbs,
): ((to: Target) => Calls<unknown, unknown>) => {
  const prototype: object = Object.create(null)
  const define = (name: string, make: (to: Target) => unknown): void => {
    Object.defineProperty(prototype, name, {
      enumerable: true,
      get(this: { readonly [bound]: Target }) {
        return make(this[bound])
      },
    })
  }
  for (const [name, handler] of Object.entries(handlers)) {
    define(name, (to) => (input: unknown, options?: RunOptions) => {
      const work: Work = (resource, task) => handler(resource as never, input, task)
      return verbs.run(to, work, options, name)
    })
  }
  for (const [name, handler] of Object.entries(streams)) {
    define(name, (to) => (input: unknown, options?: StreamOptions) => {
      const work: Work = (resource, task) => handler(resource as never, input, task)
      return verbs.stream(to, work, options, name)
    })
  }
  return (to) => Object.create(prototype, { [bound]: { value: to } }) as Calls<unknown, unknown>
}
