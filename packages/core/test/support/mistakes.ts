/** Mistakes of the engine, made on purpose: a part of it throws where it must not. */
import { settle } from "./VirtualClock.ts"

export const mistake = new Error("a mistake of the engine")
mistake.stack = mistake.message

/** The `at`-th call of this method from now on throws, before it has done anything. Says whether that has happened. */
export const breaking = (part: object, method: string, at = 1): (() => boolean) => {
  const original: unknown = Reflect.get(part, method)
  if (typeof original !== "function") throw new Error(`${method} is no method`)
  let calls = 0
  const wrapped = (...args: ReadonlyArray<unknown>): unknown => {
    if (++calls === at) throw mistake
    return Reflect.apply(original, part, [...args])
  }
  Object.defineProperty(part, method, { value: wrapped, configurable: true, writable: true })
  return () => calls >= at
}

/** What would have ended the process while `work` ran: rejections nobody handles, exceptions nobody catches. */
export const fatalIn = async (work: () => Promise<unknown>): Promise<ReadonlyArray<unknown>> => {
  const fatal: Array<unknown> = []
  const note = (error: unknown): void => void fatal.push(error)
  const names = ["unhandledRejection", "uncaughtException"] as const
  const usual = names.map((name) => process.listeners(name as "uncaughtException"))
  for (const name of names) process.removeAllListeners(name).on(name, note)
  try {
    await work()
    await settle()
  } finally {
    for (const [index, name] of names.entries()) {
      process.removeAllListeners(name)
      for (const listener of usual[index] ?? []) process.on(name, listener)
    }
  }
  return fatal
}

/** The names of the warnings that the process gives from now on; they are not printed. */
export const processWarnings = (): ReadonlyArray<string> => {
  const names: Array<string> = []
  process.removeAllListeners("warning").on("warning", (warning) => void names.push(warning.name))
  return names
}
