/**
 * Every `ts` fence of the documentation is type-checked against the built packages, and run. "typecheck" after `ts`: only
 * type-checked, for what would never end. "fragment": neither, for a few lines that stand for a place in other code.
 */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { filesBelow, foldersIn, root } from "./support/files.ts"
import { type Snippet, SnippetProject, snippetsOf } from "./support/snippets.ts"

const mostFragments = 5
const timeToRun = 30_000

const pages = [
  "README.md",
  "ARCHITECTURE.md",
  ...foldersIn("packages").map((name) => `packages/${name}/README.md`),
  ...filesBelow("docs").filter((path) => path.endsWith(".md") && !path.startsWith("docs/api/")),
].filter((path) => existsSync(join(root, path)))

const snippets = pages.flatMap((path) => snippetsOf({ path, text: readFileSync(join(root, path), "utf8") }))
const using = (use: Snippet["use"]) => snippets.filter((snippet) => snippet.use === use)

describe("the documentation", () => {
  const project = new SnippetProject(
    ".snippets",
    snippets.filter(({ use }) => use !== "fragment"),
  )
  afterAll(() => project.remove())

  it("has code in the README", () => {
    expect(snippets.filter(({ page, use }) => page === "README.md" && use === "run").length).toBeGreaterThan(
      0,
    )
  })

  it(`has at most ${mostFragments} fragments`, () => {
    expect(
      using("fragment")
        .map(({ name }) => name)
        .slice(mostFragments),
    ).toEqual([])
  })

  it("type-checks", { timeout: 60_000 }, async () => {
    expect(await project.typecheck()).toBe("")
  })

  for (const snippet of using("run")) {
    it(`${snippet.name} runs`, { timeout: timeToRun + 5_000 }, async () => {
      expect(await project.run(snippet, timeToRun)).toBe("")
    })
  }
})

describe("the gate finds what it looks for", () => {
  const fence = (info: string, code: string) => `\`\`\`${info}\n${code}\n\`\`\`\n`
  const page = [
    "# Page",
    fence("ts", "process.exitCode = 3"),
    fence("sh", "ts"),
    fence("ts", "setInterval(() => {}, 1000)"),
    fence("ts typecheck", 'const wrong: number = "text"'),
    fence("ts fragment", "what ( ever"),
    "`````md\n" + fence("ts", "inside another fence") + "`````",
    "- in a list",
    "",
    "  ```ts\n  console.log(1)\n  ```",
  ].join("\n")
  const planted = snippetsOf({ path: "planted.md", text: page })

  it("fences, their use and their lines", () => {
    expect(
      planted.map(({ use, line, code }) => [use, page.split("\n")[line - 1]?.trim() === code.trim()]),
    ).toEqual([
      ["run", true],
      ["run", true],
      ["typecheck", true],
      ["fragment", true],
      ["run", true],
    ])
    expect(() => snippetsOf({ path: "planted.md", text: fence("ts typechek", "") })).toThrow("typechek")
    expect(() => snippetsOf({ path: "planted.md", text: fence("typescript", "") })).toThrow("typescript")
    expect(() => snippetsOf({ path: "planted.md", text: "```ts\n" })).toThrow("never closed")
  })

  it("a type error, a failure and one that never ends", { timeout: 60_000 }, async () => {
    const project = new SnippetProject(
      ".snippets-planted",
      planted.filter(({ use }) => use !== "fragment"),
    )
    try {
      const [fails, hangs, wrong, good] = planted.filter(({ use }) => use !== "fragment")
      if (fails === undefined || hangs === undefined || wrong === undefined || good === undefined)
        throw new Error("no snippets")
      expect(await project.typecheck()).toContain(`planted.md.${wrong.line}.ts(${wrong.line},`)
      expect(await project.run(fails, timeToRun)).toContain("ended with 3")
      expect(await project.run(hangs, 500)).toContain("still running after 500 ms")
      expect(await project.run(good, timeToRun)).toBe("")
    } finally {
      project.remove()
    }
  })
})
