import { afterAll, describe, expect, test, vi } from "vitest"
import { Applications, effectVersion } from "./installed.ts"

// Each starts a process; on a busy machine that alone may take seconds.
vi.setConfig({ testTimeout: 30_000 })

const apps = new Applications()
afterAll(() => apps.remove())

const core = "node_modules/@sojourn/core"
const report = `
import { setImmediate as turn } from "node:timers/promises"
import { liveRegistries, setupFindings } from "@sojourn/core/host"
const warnings = []
process.on("warning", ({ name, code }) => warnings.push({ name, code }))
const result = await work()
await turn()
console.log(JSON.stringify({ result, findings: setupFindings(), warnings }))
`

describe("two copies of @sojourn/core", () => {
  /** A package that brings sessions of its own, and an application with sessions that it calls, and that call back. */
  const plugin = `
import { createSessions } from "@sojourn/core"
export const make = (options) => createSessions(options)
`
  const main = `
import { createSessions } from "@sojourn/core"
import { make } from "plugin"
const timeouts = { queue: 200 }
const own = createSessions({ name: "own", open: () => 1, timeouts })
const theirs = make({ name: "theirs", open: () => 1, timeouts })
const reasonOf = (call) => call.then(() => "served", ({ reason }) => reason)
const work = async () => {
  await Promise.all([own.run("a", () => 1), theirs.run("b", () => 1)])
  const crossing = await Promise.all([
    own.run("a", () => new Promise(setImmediate).then(() => reasonOf(theirs.run("b", () => 1)))),
    theirs.run("b", () => new Promise(setImmediate).then(() => reasonOf(own.run("a", () => 1)))),
  ])
  const names = liveRegistries().map(({ name }) => name)
  // A turn that finishes while both drain, and calls into the other, which is busy for a while.
  const nested = own.run("a", (_, { draining }) =>
    new Promise((begun) => draining.addEventListener("abort", begun)).then(() => reasonOf(theirs.run("b", () => 1))))
  const busy = theirs.run("c", () => new Promise((end) => setTimeout(end, 100)))
  await new Promise(setImmediate)
  await Promise.all([theirs.drain(), own.drain(), busy])
  return { names, crossing: crossing.toSorted(), nested: await nested }
}
${report}`
  const asOne = { names: ["own", "theirs"], crossing: ["ReentrantRun", "served"], nested: "served" }
  const application = (folder: string): void => {
    apps.write(`${folder}/package.json`, { name: "shop", type: "module" })
    apps.write(`${folder}/main.js`, main)
  }
  const pluginAt = (folder: string): void => {
    apps.write(`${folder}/package.json`, { name: "plugin", type: "module", exports: "./index.js" })
    apps.write(`${folder}/index.js`, plugin)
  }
  const nested = (folder: string): void => {
    application(folder)
    apps.install(`${folder}/${core}`)
    pluginAt(`${folder}/node_modules/plugin`)
    apps.install(`${folder}/node_modules/plugin/${core}`)
  }

  test("L7, L22: are told, with both folders; turns that wait for each other across them are not seen, and calls across them are nobody's", async () => {
    nested("nested")
    const { result, findings, stderr } = await apps.run("nested/main.js")
    expect(result).toEqual({
      names: ["own", "theirs"],
      crossing: ["QueueTimeout", "served"],
      nested: "Draining",
    })
    expect(findings.map(({ code }) => code)).toEqual(["SOJOURN_TWO_COPIES"])
    for (const folder of [core, `node_modules/plugin/${core}`])
      expect(findings[0]?.evidence).toContain(`${apps.folder}/nested/${folder}/`)
    expect(stderr.match(/\[SOJOURN_TWO_COPIES\]/g)).toHaveLength(1)
  })

  test("can be silenced", async () => {
    nested("silenced")
    const { findings, stderr } = await apps.run("silenced/main.js", {
      SOJOURN_SETUP_CHECKS: "SOJOURN_TWO_COPIES",
    })
    expect([findings, stderr]).toEqual([[], ""])
  })

  test("L7, L22: one copy that two packages use is one, and sees who calls whom", async () => {
    application("hoisted")
    apps.install(`hoisted/${core}`)
    pluginAt("hoisted/node_modules/plugin")
    const { result, findings, stderr } = await apps.run("hoisted/main.js")
    expect(result).toEqual(asOne)
    expect([findings, stderr]).toEqual([[], ""])
  })

  test("one copy in a store that several folders link to is one", async () => {
    application("linked")
    const store = "linked/node_modules/.pnpm/@sojourn+core@1.0.0/node_modules/@sojourn/core"
    apps.install(store)
    apps.link(store, `linked/${core}`)
    pluginAt("linked/packages/plugin")
    apps.link("linked/packages/plugin", "linked/node_modules/plugin")
    apps.link(store, `linked/packages/plugin/${core}`)
    const { result, findings, stderr } = await apps.run("linked/main.js")
    expect(result).toEqual(asOne)
    expect([findings, stderr]).toEqual([[], ""])
  })

  test("sources beside a copy that is installed, as in this repository, are no finding", async () => {
    application("beside")
    apps.install(`beside/${core}`)
    pluginAt("beside/packages/plugin")
    apps.link("beside/packages/plugin", "beside/node_modules/plugin")
    apps.install("beside/packages/core")
    apps.link("beside/packages/core", `beside/packages/plugin/${core}`)
    const { findings, stderr } = await apps.run("beside/main.js")
    expect([findings, stderr]).toEqual([[], ""])
  })

  test("a module that is loaded again from the same folder is no second copy", async () => {
    apps.write("again/package.json", { name: "shop", type: "module" })
    apps.install(`again/${core}`)
    apps.write(
      "again/main.js",
      `const work = () => import(new URL("./${core}/dist/registry/process.js?again", import.meta.url)).then(() => 1)${report}`,
    )
    const { findings } = await apps.run("again/main.js")
    expect(findings).toEqual([])
  })
})

describe("two copies of effect", () => {
  const asAdapter = `
import { checkOneEffect } from "@sojourn/core/host"
const work = () => { for (let time = 0; time < 3; time++) checkOneEffect() }
${report}`
  const onSignals = `
import { drainOnSignals } from "@sojourn/core/node"
const work = () => void drainOnSignals()
${report}`
  const app = (folder: string, manifest: object = {}, main = asAdapter): void => {
    apps.write(`${folder}/package.json`, {
      name: "shop",
      type: "module",
      dependencies: { effect: "^4.0.0" },
      ...manifest,
    })
    apps.write(`${folder}/src/main.js`, main)
    apps.install(`${folder}/${core}`)
  }
  const ownEffect = (folder: string): void => {
    apps.write(`${folder}/node_modules/effect/package.json`, { name: "effect", version: "4.0.5" })
    apps.linkEffect(`${folder}/${core}/node_modules/effect`)
  }

  test.for([
    ["adapter", asAdapter],
    ["drainOnSignals", onSignals],
  ] as const)(
    "are told with both versions and folders when an application uses them: %s",
    async ([name, main]) => {
      const folder = `effects-${name}`
      app(folder, {}, main)
      ownEffect(folder)
      const { findings, warnings } = await apps.run(`${folder}/src/main.js`)
      expect(findings.map(({ code }) => code)).toEqual(["SOJOURN_TWO_COPIES"])
      expect(findings[0]?.evidence).toContain(
        `For the application effect is 4.0.5 in ${apps.folder}/${folder}/node_modules/effect, for @sojourn/core it is ${effectVersion} in `,
      )
      expect(warnings).toEqual([{ name: "SojournSetup", code: "SOJOURN_TWO_COPIES" }])
    },
  )

  test("not where both load the same one", async () => {
    app("same")
    expect((await apps.run("same/src/main.js")).findings).toEqual([])
  })

  test("not for an application that does not use it, whatever lies about", async () => {
    app("unused", { dependencies: { express: "^5.0.0" } })
    ownEffect("unused")
    expect((await apps.run("unused/src/main.js")).findings).toEqual([])
  })

  test("not for a runner: what is started from node_modules is not the application", async () => {
    app("runner")
    ownEffect("runner")
    apps.write("runner/node_modules/runner/package.json", {
      name: "runner",
      type: "module",
      dependencies: { effect: "*" },
    })
    apps.write("runner/node_modules/runner/cli.js", 'await import("../../src/main.js")')
    apps.link("runner/node_modules/runner", "runner/tools")
    for (const path of ["runner/node_modules/runner/cli.js", "runner/tools/cli.js"])
      expect((await apps.run(path)).findings).toEqual([])
  })

  test("a manifest without a name is part of what is above it; one that cannot be read says nothing", async () => {
    app("above")
    ownEffect("above")
    apps.write("above/src/package.json", { type: "module" })
    expect((await apps.run("above/src/main.js")).findings).toHaveLength(1)
    app("unreadable")
    ownEffect("unreadable")
    apps.write("unreadable/node_modules/effect/package.json", "{")
    const { findings, stderr } = await apps.run("unreadable/src/main.js")
    expect(findings.length).toBeLessThanOrEqual(1)
    expect(stderr).not.toMatch(/SyntaxError|at file:/)
  })

  test("can be silenced", async () => {
    app("hushed")
    ownEffect("hushed")
    const { findings, stderr } = await apps.run("hushed/src/main.js", { SOJOURN_SETUP_CHECKS: "off" })
    expect([findings, stderr]).toEqual([[], ""])
  })
})
