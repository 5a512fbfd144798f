/** The program as it is started: a real process, with the stand-in model. */
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { lines, Visitor } from "./visitor.ts"

const start = async (settings: Readonly<Record<string, string>>) => {
  const child = spawn(process.execPath, [join(import.meta.dirname, "../src/main.ts")], {
    env: { ...process.env, PORT: "0", ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  let output = ""
  const exit = new Promise<{ readonly code: number | null; readonly output: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, output })),
  )
  const url = await new Promise<string>((resolve, reject) => {
    const read = (text: string): void => {
      output += text
      const [, found] = /listening on (\S+)/.exec(output) ?? []
      if (found !== undefined) resolve(found)
    }
    child.stdout.setEncoding("utf8").on("data", read)
    child.stderr.setEncoding("utf8").on("data", read)
    void exit.then(() => reject(new Error(output)))
  })
  return { url, exit, signal: (name: NodeJS.Signals) => void child.kill(name) }
}

// On Windows a signal from another process ends a program at once.
test.skipIf(process.platform === "win32")(
  "L14, L25: SIGTERM lets the reply finish; after a restart the conversation is there, and its visitor is known",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "chat-"))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const settings = { DATA: folder, COOKIE_SECRET: "a secret of the tests", WORD_DELAY: "40" }
    const text = Array.from({ length: 30 }, (_, index) => `w${index + 1}`).join(" ")

    const first = await start(settings)
    const alice = await Visitor.at(first.url)
    const chat = alice.chat("one")
    const sent = chat.sendMessage({ text })
    await chat.shows("assistant: 1: w1 w2 w3")
    first.signal("SIGTERM")
    await sent
    expect([chat.shown.at(-1), ...chat.ends]).toEqual([`assistant: 1: ${text}`, "finished"])
    expect(await first.exit).toEqual({
      code: 0,
      output: expect.stringMatching(/^listening on \S+\ndrained, conversations put away: 1\n$/) as string,
    })

    const second = await start(settings)
    const back = alice.now(second.url)
    expect(lines(await back.history("one"))).toEqual(chat.shown)
    const more = back.chat("one")
    await more.sendMessage({ text: "go on" })
    expect(more.shown.at(-1)).toBe("assistant: 2: go on")
    const failed = back.chat("two")
    await failed.sendMessage({ text: "fail" })
    expect([failed.shown.at(-1), failed.error?.message]).toEqual([
      "assistant: 1: fail",
      "The model failed. Try again.",
    ])
    second.signal("SIGINT")
    const { code, output } = await second.exit
    expect(code).toBe(0)
    expect(output).toContain("Error: The provider is out of order.")
  },
)
