/** The scripted server as a source of frames, and the strings that tests pull. */
import { Store } from "../../src/state/Store.ts"
import type { Frame, FrameSource } from "../../src/live/Source.ts"
import type { Delta, FromServer, Question, ToServer } from "./rows.ts"

export interface Script {
  readonly source: (question: Question) => FrameSource<Delta>
  readonly say: (message: ToServer) => void
  /** Ends the connections that are open. */
  readonly cut: () => void
  /** `offline`: every attempt fails; `refused`: and is not to be tried again. */
  readonly mode: Store<"up" | "offline" | "refused">
  /** How often a connection was opened. */
  readonly opened: { count: number }
}

class Refused extends Error {}

/** A thread is started from an address, which a policy may want to be named as trusted. The page itself has no such need. */
const allowThreads = () => {
  const types = (globalThis as { trustedTypes?: { createPolicy: (name: string, rules: object) => unknown } })
    .trustedTypes
  types?.createPolicy("default", { createScriptURL: (address: string) => address })
}

export const script = (): Script => {
  allowThreads()
  const worker = new Worker(new URL("./server.ts", import.meta.url), { type: "module" })
  const mode = new Store<"up" | "offline" | "refused">("up")
  const opened = { count: 0 }
  const open = new Map<number, (event: Frame<Delta> | Error) => void>()
  worker.addEventListener("message", ({ data }: MessageEvent<FromServer>) => {
    if ("frame" in data) open.get(data.connection)?.(data.frame)
  })
  const say = (message: ToServer) => worker.postMessage(message)
  const source = (question: Question): FrameSource<Delta> => ({
    isFinal: (error) => error instanceof Refused,
    async *frames({ signal }) {
      opened.count += 1
      const connection = opened.count
      if (mode.get() === "offline") throw new Error("The server does not answer.")
      if (mode.get() === "refused") throw new Refused("You may not look at this.")
      const waiting: Array<Frame<Delta> | Error> = []
      let wake: (() => void) | undefined
      open.set(connection, (event) => {
        waiting.push(event)
        wake?.()
      })
      const aborted = () => wake?.()
      signal.addEventListener("abort", aborted)
      say({ say: "open", connection, question, fresh: true })
      try {
        while (!signal.aborted) {
          const next = waiting.shift()
          if (next instanceof Error) throw next
          if (next !== undefined) {
            yield next
            continue
          }
          const { promise, resolve } = Promise.withResolvers<void>()
          wake = resolve
          await promise
        }
      } finally {
        signal.removeEventListener("abort", aborted)
        open.delete(connection)
        say({ say: "close", connection })
      }
    },
  })
  return {
    source,
    say,
    mode,
    opened,
    cut: () => {
      for (const tell of open.values()) tell(new Error("The connection was cut."))
    },
  }
}
