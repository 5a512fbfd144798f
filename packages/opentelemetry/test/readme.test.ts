/** What the README lists is what spans have. */
import { readFileSync } from "node:fs"
import { createSessions } from "@sojourn/core"
import { checkLaws } from "@sojourn/core/testing"
import { expect, test } from "vitest"
import { traceSessions, type TracingOptions } from "../src/index.ts"
import { Sdk } from "./support/sdk.ts"

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8")
/** First column of the table whose head begins with this word. */
const listed = (head: string): ReadonlyArray<string> => {
  const lines = readme.split("\n")
  const from = lines.findIndex((line) => line.startsWith(`| ${head} `))
  const rows = lines.slice(from + 2)
  const names = rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith("|")),
    )
    .map((line) => /`([^`]+)`/.exec(line)?.[1])
  expect(names.length).toBeGreaterThan(2)
  return names.map(String)
}
const sorted = (names: Iterable<string>): ReadonlyArray<string> =>
  [...new Set(names)].toSorted((a, b) => (a < b ? -1 : 1))

test("attributes and events", async () => {
  await using sdk = new Sdk()
  using _ = traceSessions({ spans: ["open", "task", "probe", "close"], show: ({ id }) => id })
  await checkLaws({ schedules: 40 })
  // Said to be idempotent, it is run again when its resource is lost.
  let broken = (): void => {}
  const sessions = createSessions({
    name: "replaying",
    open: (opening) => {
      broken = () => opening.broken()
      return opening.serial
    },
  })
  const replayed = sessions.run(
    "a",
    (serial, { signal }) =>
      serial === 1
        ? new Promise((_resolve, reject) =>
            signal.addEventListener("abort", () => reject(new Error("stopped"))),
          )
        : serial,
    { idempotent: true },
  )
  broken()
  expect(await replayed).toBe(2)
  await sessions.drain()
  expect(sorted(sdk.spans.flatMap(({ attributes }) => Object.keys(attributes)))).toEqual(
    sorted(listed("Attribute")),
  )
  expect(sorted(sdk.spans.flatMap(({ events }) => events.map(({ name }) => name)))).toEqual(
    sorted(listed("Event")),
  )
}, 30_000)

test("options", () => {
  const options: Record<keyof TracingOptions, true> = {
    sessions: true,
    tracerProvider: true,
    tracer: true,
    spans: true,
    show: true,
  }
  expect(sorted(listed("Option"))).toEqual(sorted(Object.keys(options)))
})
