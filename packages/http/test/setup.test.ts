import type { SetupFinding } from "@sojourn/core/host"
import { expect, test, vi } from "vitest"
import { run, type Ended } from "./start.ts"

vi.setConfig({ testTimeout: 30_000 })

const [registry, owner, proxy] = [
  "SOJOURN_REGISTRY_IN_HANDLER",
  "SOJOURN_OWNER_FROM_HEADER",
  "SOJOURN_TRUST_PROXY",
]
const warnings = ({ lines }: Ended): ReadonlyArray<unknown> =>
  lines.flatMap((line) => ("warning" in line ? [line["warning"]] : []))
const findings = ({ lines }: Ended): ReadonlyArray<SetupFinding> =>
  lines.at(-1)?.["findings"] as ReadonlyArray<SetupFinding>

const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ["a registry a request", [registry]],
  ["one that is drained again", [registry]],
  ["behind an await", [registry]],
  ["one bound in each request", []],
  ["a module that a handler loads", []],
  ["several of several names, at module level", []],
  ["names with numbers of their own", []],
  ["names without end", []],
  ["a header", [owner]],
  ["a parameter", [owner]],
  ["a header that a client named after its owner", [owner]],
  ["one owner, however often", []],
  ["one owner often, then another", [owner]],
  ["by chance", []],
  ["by chance, once each", []],
  ["the login's word", []],
  ["x-forwarded-for", [proxy]],
  ["x-forwarded-proto", [proxy]],
  ["trusted", []],
  ["direct", []],
]
test.concurrent.for(cases)(
  "%s: told %j, once, and of nobody",
  async ([scenario, codes], { onTestFinished }) => {
    const ended = await run(scenario, { onTestFinished })
    expect(ended).toMatchObject({ code: 0 })
    const known = new Set([registry, owner, proxy])
    expect(warnings(ended).filter((code) => known.has(code as string))).toEqual(codes)
    expect(findings(ended).map(({ code }) => code)).toEqual(codes)
    expect(ended.lines.filter((line) => "failed" in line)).toEqual([])
    expect(ended.output).not.toMatch(/secret|203\.0\.113/)
    for (const { docs, advice, code } of findings(ended)) {
      expect(docs).toBe(`docs/setup/${code}.md`)
      expect(ended.output).toContain(advice)
    }
  },
)

test.concurrent.for<readonly [string, ReadonlyArray<string>]>([
  ["", [registry, owner, proxy]],
  ["off", []],
  [registry, [owner, proxy]],
  [`${proxy}, ${owner}`, [registry]],
  ["SOJOURN_ELSE", [registry, owner, proxy]],
])("SOJOURN_SETUP_CHECKS=%s leaves %j", async ([off, codes], { onTestFinished }) => {
  const ended = await run("all", { env: { SOJOURN_SETUP_CHECKS: off }, onTestFinished })
  expect(findings(ended).map(({ code }) => code)).toEqual(codes)
  for (const code of [registry, owner, proxy])
    expect(ended.output.includes(`[${code}]`)).toBe(codes.includes(code))
})

test("what a warning says: what was seen, what to do, where more is said, and how to silence it", async () => {
  const ended = await run("a registry a request")
  const [finding] = findings(ended)
  expect(finding?.evidence).toBe('The registry "carts" is made again and again.')
  expect(ended.output).toContain(`[${registry}] SojournSetup: ${finding?.evidence} ${finding?.advice}`)
  expect(ended.output).toContain(`SOJOURN_SETUP_CHECKS=${registry} silences it`)
})
