import { checkOneEffect, foundInSetup, isSetupCheckOn, liveRegistries } from "@sojourn/core/host"

/** Frames of what calls request handlers. */
const hosts = /[\\/]node_modules[\\/](?:express|router|fastify|hono|@hono|connect|find-my-way)[\\/]/
/** Deep enough to see a router behind a few middlewares. */
const depth = 60
/** The first registry of each name that was bound inside a handler; so many names are told apart. */
const seen = new Map<string, WeakRef<object>>()
const mostNames = 100

/**
 * Is a registry bound to requests inside one? Once may be a module that a handler loads, or one registry bound again;
 * another of the same name is a registry a request. After an `await` the stack says nothing any more, but the third live
 * registry of one name does.
 */
export const checkMadeInHandler = (sessions: object): void => {
  // Looked at once a process, here because every host comes by.
  checkOneEffect()
  if (!isSetupCheckOn("SOJOURN_REGISTRY_IN_HANDLER")) return
  const name = "name" in sessions && typeof sessions.name === "string" ? sessions.name : ""
  const plain = /^(.*)#\d+$/s.exec(name)?.[1] ?? name
  if (isThird(name, plain) || (isInHandler() && isAnother(sessions, plain)))
    foundInSetup(
      "SOJOURN_REGISTRY_IN_HANDLER",
      `The registry ${JSON.stringify(plain)} is made again and again.`,
    )
}

/** Core numbers those of one name; a name that only looks like that has no first and second beside it. */
const isThird = (name: string, plain: string): boolean => {
  if (Number(name.slice(plain.length + 1)) < 3) return false
  const live = new Set(liveRegistries().map((one) => one.name))
  return live.has(plain) && live.has(`${plain}#2`)
}

const isAnother = (sessions: object, plain: string): boolean => {
  const first = seen.get(plain)
  if (first !== undefined) return first.deref() !== sessions
  if (seen.size < mostNames) seen.set(plain, new WeakRef(sessions))
  return false
}

const isInHandler = (): boolean => {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = depth
  const { stack = "" } = new Error("where is this called from?")
  Error.stackTraceLimit = limit
  return hosts.test(stack)
}
