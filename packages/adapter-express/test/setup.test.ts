/** Setup checks through the real Express: each is told once, with its code, and without what it must not tell. */
import { describe, expect, test, vi } from "vitest"
import { start } from "./programs/start.ts"
import { versions } from "./versions.ts"

// Each starts a process; on a busy machine that alone may take seconds.
vi.setConfig({ testTimeout: 30_000 })

/** The codes that were told, and by scenario what was answered. */
const run = async (
  version: string,
  scenarios: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
) => {
  const program = start("setup", [version, ...scenarios], env)
  expect(await program.exit).toMatchObject({ code: 0, signal: null })
  const lines = program.lines as ReadonlyArray<Readonly<Record<string, unknown>>>
  const warnings = lines.filter((line) => "warning" in line)
  return {
    codes: warnings.map(({ warning }) => String(warning)).filter((code) => code.startsWith("SOJOURN_")),
    told: JSON.stringify(warnings),
    statuses: lines.filter((line) => "statuses" in line).map(({ statuses }) => statuses),
  }
}
const allFine = [200, 200, 200, 200, 200]

const [registry, owner, proxy, rejections] = [
  "SOJOURN_REGISTRY_IN_HANDLER",
  "SOJOURN_OWNER_FROM_HEADER",
  "SOJOURN_TRUST_PROXY",
  "SOJOURN_REJECTIONS",
]
/** Handlers that `route` does not wrap, each in another place. */
const unwrapped = [
  "rejections",
  "rejectionsOfKey",
  "rejectionsInRouter",
  "rejectionsInMounted",
  "rejectionsAfterWrapped",
]

describe.each(versions)("$name: setup checks", ({ name }) => {
  test.for<Readonly<Record<string, string>>>([
    { inHandler: registry, ownerFromHeader: owner, proxyUnknown: proxy },
    { inHandlerLater: registry, ownerFromQuery: owner, proxyUnknownMounted: proxy },
    { ownerOfKeyFromHeader: owner },
  ])("mistakes are told once each, with their pages, and without anybody's name: %o", async (mistakes) => {
    const { codes, told, statuses } = await run(name, Object.keys(mistakes))
    expect(codes).toEqual(Object.values(mistakes))
    for (const code of codes) expect(told).toContain(`docs/setup/${code}.md`)
    expect(told).not.toContain("secret-user")
    expect(told).not.toContain("203.0.113.1")
    expect(statuses).toEqual(Object.keys(mistakes).map(() => allFine))
  })

  test("what is no mistake is not told", async () => {
    const fine = ["boundInHandler", "twice", "ownerVerified", "proxyTrusted", "wrapped"]
    const { codes, statuses } = await run(name, fine)
    expect(codes).toEqual([])
    expect(statuses).toEqual(fine.map(() => allFine))
  })

  test("a mounted application of the other version is judged by its own", async () => {
    const { codes } = await run(name, ["rejectionsInOther"])
    expect(codes).toEqual(name === "Express 5" ? [rejections] : [])
  })

  test("what that check is about: under Express 4 a rejection ends the process, unless it is wrapped", async () => {
    expect((await run(name, ["refusedWrapped"])).statuses).toEqual([[404, 404, 404, 404, 404]])
    const { code, stderr } = await start("setup", [name, "refused"]).exit
    expect(code).toBe(name === "Express 4" ? 1 : 0)
    if (name === "Express 4") expect(stderr).toContain("SessionRefused")
  })
})

test("Express 5 hears of rejections by itself: no handler needs `route`", async () => {
  const { codes, statuses } = await run("Express 5", unwrapped)
  expect(codes).toEqual([])
  expect(statuses).toEqual(unwrapped.map(() => allFine))
})

test.for(unwrapped)("%s: under Express 4 it is told once", async (scenario) => {
  const { codes, statuses } = await run("Express 4", [scenario])
  expect(codes).toEqual([rejections])
  expect(statuses).toEqual([allFine])
})

test.for([rejections, "off", `${proxy}, ${rejections}`])(
  "SOJOURN_SETUP_CHECKS=%s silences it",
  async (off) => {
    expect((await run("Express 4", ["rejections"], { SOJOURN_SETUP_CHECKS: off })).codes).toEqual([])
  },
)
