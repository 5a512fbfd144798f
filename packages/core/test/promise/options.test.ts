import { describe, expect, test } from "vitest"
import { SessionMisuse } from "../../src/errors.ts"
import { createSessions } from "../../src/face/createSessions.ts"
import type { SessionOptions } from "../../src/SessionOptions.ts"
import { counts, flags, functions, objects, texts, thrown, times } from "./wrongValues.ts"

const good = { name: "options", open: () => "resource" }
const create = (options: unknown): unknown => thrown(() => createSessions(options as SessionOptions<string>))

const at = (path: string, value: unknown): object =>
  path.split(".").reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object
const cases: ReadonlyArray<readonly [option: string, wrong: ReadonlyArray<unknown>]> = [
  ["name", texts],
  ["open", functions],
  ["whenBusy", ["", "Queue", "wait", 5, null, true]],
  ["concurrency", [0, ...counts]],
  ["maxQueued", counts],
  ["idleTimeout", times],
  ["maxSessions", [0, ...counts]],
  ["maxPerOwner", [0, ...counts]],
  ["maxAge", [0, 0.5, ...times]],
  ["maxTurns", [0, ...counts]],
  ["maxHeap", [-0.1, 1.1, Number.NaN, "0.8", null, {}]],
  ["onLeak", ["", "Wait", "quarantine", 5, null, true]],
  ["maxLeaked", [0, ...counts]],
  ["store", objects],
  ["store.load", functions],
  ["timeouts", objects],
  ...["seat", "queue", "grace"].map((name) => [`timeouts.${name}`, times] as const),
  ...["open", "silence", "stall", "lease", "close"].map(
    (name) => [`timeouts.${name}`, [0, 0.5, "0 millis", ...times]] as const,
  ),
  ["restart", [true, ...objects]],
  ["restart.times", counts],
  ["restart.within", [0, ...times]],
  ...["delay", "maxDelay", "quarantine"].map((name) => [`restart.${name}`, times] as const),
  ["restart.eager", flags],
  ["handlers", objects],
  ["handlers.query", functions],
  ["streams.rows", functions],
]

describe("L17: createSessions", () => {
  describe.each(cases)("%s", (option, wrong) => {
    test.each(wrong.map((value) => [typeof value === "symbol" ? "a symbol" : value, value]))(
      "L17: %s throws InvalidOption at once, and says which option and what is allowed",
      (_, value) => {
        const error = create({ ...good, ...at(option, value) })
        expect(error).toBeInstanceOf(SessionMisuse)
        expect(error).toMatchObject({ reason: "InvalidOption" })
        const { message } = error as Error
        expect(message).toMatch(/allowed/)
        expect(message.startsWith(option)).toBe(true)
        if (typeof value === "number" || typeof value === "boolean") expect(message).toContain(`got ${value}`)
        if (typeof value === "string" && value.length < 64)
          expect(message).toContain(`got ${JSON.stringify(value)}`)
      },
    )
  })

  test.each([
    ["idleTimeOut", { idleTimeOut: 5 }],
    ["maxsessions", { maxsessions: 5 }],
    ["timeouts.silent", { timeouts: { silent: 5 } }],
    ["restart.attempts", { restart: { attempts: 5 } }],
    ["probe", { probe: () => true }],
  ])("L17: %s is no option: a misspelt one does not silently do nothing", (name, more) => {
    const error = create({ ...good, ...more })
    expect(error).toMatchObject({ _tag: "SessionMisuse", reason: "InvalidOption" })
    const { message } = error as Error
    expect(message.startsWith(`${name}: there is no such option.`)).toBe(true)
    expect(message).toContain("Known: ")
  })

  test.each([[undefined], [null], [5], ["name"], [[]]])("L17: %s instead of options", (options) => {
    expect(create(options)).toMatchObject({ _tag: "SessionMisuse", reason: "InvalidOption" })
  })

  test("L17: one name for a handler and a stream", () => {
    const error = create({ ...good, handlers: { query: () => 1 }, streams: { query: () => [] } })
    expect(String(error)).toContain("streams.query")
  })
})
