/** A real program for the test beside it: `node aliveProgram.ts <scenario>`. Says what callers are told, and how long it lived. */
import { createSessions } from "../../src/index.ts"

const scenario = process.argv[2] ?? ""
const never = (): Promise<never> => new Promise(() => {})
const say = (line: unknown): void => console.log(JSON.stringify(line))
const told = (promise: Promise<unknown>): void =>
  void promise.then(
    () => say("served"),
    (error: { readonly reason?: string }) => say(error.reason),
  )
const open = ({ id }: { readonly id: string }): string => {
  if (id === "broken") throw new Error("no")
  return id
}
const timeouts = { seat: 260, queue: 300, grace: 100, close: 100 }
const sessions = createSessions({ name: "alive", open, timeouts, maxSessions: 1, restart: { delay: 250 } })

const scenarios: Record<string, () => unknown> = {
  unused: () => {},
  idle: () => told(sessions.run("a", () => 1)),
  lease: async () => {
    await sessions.lease("a")
    say("held")
  },
  hung: () => void sessions.run("a", never).catch(() => {}),
  timeout: () => told(sessions.run("a", never, { timeout: 200 })),
  queue: () => {
    void sessions.run("a", never).catch(() => {})
    told(sessions.run("a", () => 1))
  },
  seat: () => {
    void sessions.run("a", never).catch(() => {})
    told(sessions.run("b", () => 1))
  },
  backoff: async () => {
    await sessions.run("broken", () => 1).catch(() => {})
    told(sessions.run("broken", () => 1))
  },
  drain: () => {
    told(sessions.run("a", never))
    told(sessions.drain({ finishWithin: 100 }))
  },
}

// What loading takes is not what is measured.
const began = performance.now()
process.on("exit", () => say({ lived: performance.now() - began }))
await scenarios[scenario]?.()
