/** L25 among real processes that share a directory, some of which are killed. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { describe, expect, onTestFinished, test, vi } from "vitest"
import { fileStore } from "../../src/node.ts"
import { type Call, unexplained } from "./history.ts"
import { folder } from "./makers.ts"
import { Writer } from "./Writer.ts"

// Each starts processes; on a busy machine that alone may take seconds.
vi.setConfig({ testTimeout: 60_000 })

const program = fileURLToPath(new URL("writerProgram.ts", import.meta.url))
const now = (): number => Number(process.hrtime.bigint() / 1000n)

interface Started {
  readonly child: ChildProcess
  readonly calls: Array<Call>
  readonly over: Promise<unknown>
}
/** `heard`: told of each line. */
const start = (
  directory: string,
  name: string,
  calls: number,
  heard: (lines: number, child: ChildProcess) => void = () => {},
): Started => {
  const child = spawn(process.execPath, [program, directory, name, String(calls)], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  const told: Array<Call> = []
  let lines = 0
  const over = once(child, "close")
  createInterface({ input: child.stdout }).on("line", (line) => {
    // Infinity is null in JSON.
    const call = JSON.parse(line) as Omit<Call, "ended"> & { readonly ended: number | null }
    const known = { ...call, ended: call.ended ?? Infinity }
    if (known.ended === Infinity) told.push(known)
    else told[told.length - 1] = known
    heard(++lines, child)
  })
  return { child, calls: told, over }
}

describe("L25: fileStore among processes", () => {
  test("four that load, save, remove and set aside one key: one order explains all answers", async () => {
    const directory = await folder()
    const writers = ["a", "b", "c", "d"].map((name) => start(directory, name, 150))
    await Promise.all(writers.map(({ over }) => over))
    expect(writers.map(({ calls, child }) => [calls.length, child.exitCode])).toEqual(
      writers.map(() => [150, 0]),
    )
    const last = new Writer(fileStore({ directory }), "key", "last", now)
    await last.run(["load", "save", "load"])
    expect(unexplained([...writers, last].map(({ calls }) => calls))).toBeUndefined()
    const saves = writers.flatMap(({ calls }) => calls.filter(({ saved }) => saved !== undefined))
    // They did get in each other's way.
    expect(saves.filter(({ saved }) => saved === true).length).toBeGreaterThan(20)
    expect(saves.filter(({ saved }) => saved === false).length).toBeGreaterThan(20)
  })

  // Windows has no such signal.
  test.skipIf(process.platform === "win32")(
    "killed again and again, with another one beside it: nothing that was acknowledged is lost or torn",
    async () => {
      const directory = await folder()
      const observer = new Writer(fileStore({ directory }), "key", "observer", now)
      const users: Array<ReadonlyArray<Call>> = [observer.calls]
      const moments = Array.from({ length: 12 }, () => Math.floor(60 * Math.random()))
      let next: Started | undefined
      for (const [round, moment] of moments.entries()) {
        const killed = next ?? start(directory, `${round}:`, 10_000, killAfter(moment))
        next =
          round + 1 < moments.length
            ? start(directory, `${round + 1}:`, 10_000, killAfter(moments[round + 1] ?? 0))
            : undefined
        await killed.over
        expect(killed.child.signalCode).toBe("SIGKILL")
        await observer.run(["load", "save"])
        users.push(killed.calls)
      }
      await observer.run(["load", "save", "load"])
      expect(unexplained(users)).toBeUndefined()
      expect(users.flat().filter(({ saved }) => saved === true).length).toBeGreaterThan(20)
    },
  )
})

/** As soon as it has said so many lines, wherever it is then. */
const killAfter =
  (moment: number) =>
  (lines: number, child: ChildProcess): void => {
    if (lines > moment) child.kill("SIGKILL")
  }
