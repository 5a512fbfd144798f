/** Each verdict, on a small package of its own, with the real compiler and the real test runner. */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { compileErrors, isBad, judge, runTests, type Trial } from "../src/judge.ts"
import { edit, type Mutant } from "../src/Mutant.ts"
import { PackageCopy } from "../src/PackageCopy.ts"

const source = `export const sum = (numbers: ReadonlyArray<number>): number => {
  let total = 0
  for (const number of numbers) total += number
  return total
}
export const later = (work: () => void): void => void setTimeout(work, 0)
`
const addsUp = `import { expect, test } from "vitest"
import { sum } from "../src/sum.ts"
test("L1 adds up", () => expect(sum([1, 2, 4])).toBe(7))
`
const empty = `import { expect, test } from "vitest"
import { sum } from "../src/sum.ts"
test("L1 of nothing", () => expect(sum([])).toBe(0))
`
const waits = `import { test } from "vitest"
import { later } from "../src/sum.ts"
test("L2 later", () => new Promise<void>((resolve) => later(resolve)))
`
const settings = { compilerOptions: { strict: true, target: "ESNext", module: "NodeNext", noEmit: true } }

let workspace: string
let copy: PackageCopy
beforeAll(() => {
  workspace = mkdtempSync(join(tmpdir(), "sojourn-judge-"))
  const folder = join(workspace, "packages/sums")
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  for (const name of ["src", "test"]) mkdirSync(join(folder, name), { recursive: true })
  symlinkSync(join(import.meta.dirname, "../node_modules"), join(folder, "node_modules"), "junction")
  write("package.json", JSON.stringify({ name: "sums", type: "module" }))
  write("tsconfig.json", JSON.stringify({ ...settings, include: ["src"] }))
  write("src/sum.ts", source)
  write("test/addsUp.test.ts", addsUp)
  write("test/empty.test.ts", empty)
  write("test/waits.test.ts", waits)
  copy = new PackageCopy(folder)
})
afterAll(() => {
  copy.remove()
  rmSync(workspace, { recursive: true, force: true })
})

const mutant = (find: string, replace: string, tests: ReadonlyArray<string>): Mutant => ({
  name: "a mutant",
  laws: ["L1"],
  edits: [edit("sum.ts", find, replace)],
  tests: tests.map((test) => `${test}.test.ts`),
})
const nothingAdded = (tests: ReadonlyArray<string>) => mutant("total += number", "total += 0 * number", tests)
const judged = (one: Mutant, more: Partial<Trial> = {}) =>
  judge(one, copy, { elsewhere: [], knownErrors: new Set(), red: new Set(), limitMs: 30_000, ...more })

describe("judging a mutant", { timeout: 60_000 }, () => {
  it("begins with a package that compiles and whose tests are green", async () => {
    expect(await compileErrors(copy)).toEqual(new Set())
    expect(
      await runTests(copy, ["addsUp.test.ts", "empty.test.ts", "waits.test.ts"], { limitMs: 30_000 }),
    ).toEqual({
      kind: "green",
      tests: 3,
    })
  })

  it("killed: a test fails, and is named", async () => {
    expect(await judged(nothingAdded(["empty", "addsUp"]))).toEqual({
      kind: "killed",
      by: "addsUp.test.ts: L1 adds up",
    })
  })

  it("survived: its tests see no difference, and nor do all others", async () => {
    const verdict = await judged(nothingAdded(["empty"]), { elsewhere: ["waits.test.ts"] })
    expect(verdict).toEqual({ kind: "survived" })
    expect(isBad(verdict)).toBe(true)
  })

  it("killed elsewhere: a test that nobody had named for it sees it", async () => {
    expect(await judged(nothingAdded(["empty"]), { elsewhere: ["addsUp.test.ts"] })).toEqual({
      kind: "killed elsewhere",
      by: "addsUp.test.ts: L1 adds up",
    })
  })

  it("killed by the time limit: the tests come to no end, and are ended with all they started", async () => {
    const endless = mutant("  let total = 0", "  let total = 0\n  while (total === 0) total *= 2", ["addsUp"])
    expect(await judged(endless, { limitMs: 3000 })).toEqual({ kind: "killed by the time limit" })
  })

  it("does not compile: it would be killed by anything", async () => {
    const verdict = await judged(mutant("let total = 0", "const total = 0", ["addsUp"]))
    expect(verdict).toMatchObject({ kind: "does not compile", by: expect.stringContaining("TS2588") })
    expect(isBad(verdict)).toBe(true)
  })

  it("does not apply: what it would change is not there", async () => {
    const verdict = await judged(mutant("let product = 1", "let product = 0", ["addsUp"]))
    expect(verdict).toMatchObject({ kind: "does not apply", by: expect.stringContaining("let product = 1") })
    expect(isBad(verdict)).toBe(true)
  })

  it("tests do not run: they fail without it too, so they say nothing", async () => {
    expect(await judged(nothingAdded(["addsUp"]), { red: new Set(["addsUp.test.ts"]) })).toMatchObject({
      kind: "tests do not run",
    })
  })

  it("tests do not run: a named one is missing, or cannot be loaded", async () => {
    expect(await judged(nothingAdded(["gone"]))).toMatchObject({ kind: "tests do not run" })
    const unloadable = mutant("let total = 0", "let total = 0", ["addsUp"])
    const throws = {
      ...unloadable,
      edits: [edit("sum.ts", "export const later", `throw new Error("no")\nexport const later`)],
    }
    expect(await judged(throws)).toMatchObject({ kind: "tests do not run" })
  })

  it("leaves the copy as it was, and never touches the package", () => {
    expect(readFileSync(join(copy.folder, "src/sum.ts"), "utf8")).toBe(source)
    expect(readFileSync(join(workspace, "packages/sums/src/sum.ts"), "utf8")).toBe(source)
  })

  it("an equivalent one is listed with its reason and not run", async () => {
    const verdict = await judged({ ...nothingAdded(["addsUp"]), equivalent: "nobody can tell" })
    expect(verdict).toEqual({ kind: "equivalent", by: "nobody can tell" })
    expect(isBad(verdict)).toBe(false)
  })

  it("removes its folder", () => {
    const other = new PackageCopy(join(workspace, "packages/sums"))
    expect(readdirSync(other.folder)).toContain("src")
    other.remove()
    expect(() => readdirSync(other.folder)).toThrow("ENOENT")
  })
})
