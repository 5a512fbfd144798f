import { spawn } from "node:child_process"
import { describe, expect, test, vi } from "vitest"
import { Family } from "../../src/node/ownProcess/Family.ts"
import { lookUp } from "../../src/node/ownProcess/processTable.ts"
import { isRunning, killAtEnd, numbersIn, started, until } from "./processes.ts"

describe.skipIf(process.platform === "win32")("whom a signal reaches", () => {
  test.each([true, false])(
    "L4: not a process that has got the number of another; leads: %s",
    async (leads) => {
      const { pid } = started(spawn("sleep", ["1000"], { stdio: "ignore", detached: leads }))
      const before = new Family({ pid, leads, start: "1" })
      await before.gather()
      await before.signal("SIGKILL")
      expect(await before.isGone()).toBe(true)
      expect(isRunning(pid)).toBe(true)
      // The same with the right start time, so that the above says something.
      const real = new Family({ pid, leads, start: lookUp(pid)?.start })
      expect(await real.isGone()).toBe(false)
      await real.signal("SIGKILL")
      await until("it is gone", () => real.isGone())
      expect(isRunning(pid)).toBe(false)
    },
  )

  test("L4: nobody, where nothing is known of a process that is not our child", async () => {
    const { pid } = started(spawn("sleep", ["1000"], { stdio: "ignore" }))
    const unknown = new Family({ pid, leads: false, start: undefined })
    await unknown.signal("SIGKILL")
    expect(await unknown.isGone()).toBe(true)
    expect(isRunning(pid)).toBe(true)
  })

  // Sent in earnest, these would end every process of the machine.
  test.each([-1, 0, 1, Number.NaN])(
    "L4: never every process, our own group, or the first one: %d",
    async (pid) => {
      const kill = vi.spyOn(process, "kill").mockReturnValue(true)
      try {
        for (const leads of [true, false])
          await new Family({ pid, leads, start: "1" }, () => true).signal("SIGKILL")
        expect(kill).not.toHaveBeenCalled()
      } finally {
        kill.mockRestore()
      }
    },
  )

  test("L4: a group in which all have ended is gone, though its parent takes no note of that", async () => {
    const program = `const { spawn } = require("node:child_process")
      console.log("ended=" + spawn("sleep", ["1000"], { stdio: "ignore", detached: true }).pid)`
    const { output, pid } = started(
      spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] }),
    )
    const ended = await until("it has said its number", () => numbersIn(output())[0])
    killAtEnd([ended])
    process.kill(pid, "SIGSTOP")
    process.kill(ended, "SIGKILL")
    await until("it has ended", () => lookUp(ended)?.zombie === true)
    expect(lookUp(ended)).toMatchObject({ group: ended, parent: pid })
    expect(process.kill(-ended, 0)).toBe(true)
    expect(await new Family({ pid: ended, leads: true, start: lookUp(ended)?.start }).isGone()).toBe(true)
  })
})
