/** A server in a process of its own, so that the load generator does not share its event loop. */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import type { Figures } from "./serverProgram.ts"

export interface Server {
  readonly name: string
  readonly url: string
  readonly figures: () => Promise<Figures>
  readonly stop: () => Promise<void>
}

const program = fileURLToPath(new URL("./serverProgram.ts", import.meta.url))

export const startServer = async (name: string): Promise<Server> => {
  const child = fork(program, [name], {
    // `SOJOURN_BENCH_SERVER_FLAGS`: for a profile of the servers, such as `--cpu-prof --cpu-prof-dir=/tmp/profiles`.
    execArgv: ["--no-warnings", ...(process.env["SOJOURN_BENCH_SERVER_FLAGS"]?.split(" ") ?? [])],
    env: { ...process.env, NODE_ENV: "production" },
    stdio: ["ignore", 2, 2, "ipc"],
  })
  const { port } = await answer<{ readonly port: number }>(child)
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    figures: async () => {
      const told = answer<{ readonly figures: Figures }>(child)
      child.send("figures")
      return (await told).figures
    },
    stop: async () => {
      const exited = once(child, "exit")
      child.disconnect()
      await exited
    },
  }
}

const answer = <A>(child: ChildProcess): Promise<A> =>
  new Promise((resolve, reject) => {
    const ended = (code: number | null, signal: string | null): void =>
      reject(new Error(`the server ended without an answer (${signal ?? code})`))
    child.once("exit", ended)
    child.once("message", (message) => {
      child.off("exit", ended)
      resolve(message as A)
    })
  })
