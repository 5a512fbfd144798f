/** Random schedules of hostile users, with the stock SDK: no span is left open after the drain, and the laws hold. */
import { SpanStatusCode } from "@opentelemetry/api"
import { checkLaws } from "@sojourn/core/testing"
import { expect, test } from "vitest"
import { traceSessions } from "../src/index.ts"
import { Sdk } from "./support/sdk.ts"

const schedules = 100

test(`L2 L5 L16: ${schedules} schedules, each span ends once, and says what became of it`, async () => {
  await using sdk = new Sdk()
  using _ = traceSessions({ spans: ["open", "task", "probe", "close"] })
  await checkLaws({ schedules })
  expect(sdk.open.spans.size).toBe(0)
  const ends = new Map<string, number>()
  for (const { attributes, name, status } of sdk.spans) {
    const outcome = String(attributes["sojourn.outcome"])
    const kind = name.split(" ")[0] ?? ""
    const subject = kind === "open" || kind === "close" || kind === "probe" ? kind : "task"
    ends.set(`${subject} ${outcome}`, (ends.get(`${subject} ${outcome}`) ?? 0) + 1)
    const fine = ["succeeded", "cancelled", "unwanted"].includes(outcome)
    expect([name, outcome, status.code]).toEqual([
      name,
      outcome,
      fine ? SpanStatusCode.UNSET : SpanStatusCode.ERROR,
    ])
    expect("error.type" in attributes).toBe(!fine)
  }
  const outcomes = ["succeeded", "failed", "cancelled", "timedOut", "interrupted", "rejected"]
  const missing = [
    ...outcomes.map((outcome) => `task ${outcome}`),
    ...outcomes.slice(0, 4).map((outcome) => `open ${outcome}`),
    ...["succeeded", "failed", "leaked"].map((outcome) => `close ${outcome}`),
  ].filter((end) => !ends.has(end))
  expect(missing).toEqual([])
}, 60_000)
