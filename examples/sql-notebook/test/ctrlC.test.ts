import { spawn } from "node:child_process"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { Visitor } from "../src/visitor.ts"

// On Windows a signal from another process ends a program at once.
test.skipIf(process.platform === "win32")(
  "L14: Ctrl-C while queries run closes every database and exits within the drain's time",
  async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "../src/main.ts"), "--serve"], {
      env: { ...process.env, PORT: "0", CI: "" },
      stdio: ["ignore", "pipe", "pipe"],
    })
    onTestFinished(() => void child.kill("SIGKILL"))
    let output = ""
    const exit = new Promise<number | null>((resolve) => child.once("close", resolve))
    const url = await new Promise<string>((resolve, reject) => {
      const read = (text: string): void => {
        output += text
        const [, found] = /Open (\S+) /.exec(output) ?? []
        if (found !== undefined) resolve(found)
      }
      child.stdout.setEncoding("utf8").on("data", read)
      child.stderr.setEncoding("utf8").on("data", read)
      void exit.then(() => reject(new Error(output)))
    })

    const visitors = [new Visitor(url), new Visitor(url)]
    for (const visitor of visitors) expect((await visitor.query("select 1")).status).toBe(200)
    const work = "select count(*) from generate_series(1, 1000000)"
    const asked = visitors.flatMap((visitor) => [
      visitor.query(work),
      visitor.query(work),
      visitor.query(work),
    ])
    const settled = Promise.allSettled(asked)
    // The first answer is there: others run or wait.
    await Promise.race(asked)
    const began = performance.now()
    child.kill("SIGINT")
    expect(await exit).toBe(0)
    expect(performance.now() - began).toBeLessThan(10_000)
    expect(output).toContain("Drained. Databases closed: 2.")

    // Everybody was answered: with a result, or with a refusal.
    const statuses = (await settled).map((one) =>
      one.status === "fulfilled" ? one.value.status : one.reason,
    )
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([])
    expect(statuses).toContain(200)
  },
  60_000,
)
