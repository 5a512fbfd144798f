/** The list stays in step with the sources: every edit fits, every named test is there. The mutants themselves run by hand. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { applyEdits } from "../src/applyEdits.ts"
import { groups } from "../src/list/index.ts"

const core = join(import.meta.dirname, "../../packages/core")
const mutants = groups.flatMap(({ mutants: ofGroup, title }) =>
  ofGroup.map((mutant) => ({ ...mutant, fullName: `${title}: ${mutant.name}` })),
)

describe("the list of mutants", () => {
  it.each(mutants)("fits the sources: $fullName", ({ edits }) => {
    for (const [file, ofFile] of Map.groupBy(edits, (edit) => edit.file)) {
      const text = readFileSync(join(core, file), "utf8")
      expect(applyEdits(text, ofFile)).not.toBe(text)
    }
  })

  it.each(mutants)("names tests that are there, of a law it breaks: $fullName", ({ laws, tests }) => {
    const texts = tests.map((test) => readFileSync(join(core, "test", test), "utf8"))
    expect(texts.some((text) => laws.some((law) => new RegExp(`\\b${law}\\b`).test(text)))).toBe(true)
  })

  it("names each mutant once, with a law", () => {
    expect(new Set(mutants.map(({ fullName }) => fullName)).size).toBe(mutants.length)
    expect(
      mutants.filter(({ laws }) => !laws.every((law) => /^L\d+$/.test(law)) || laws.length === 0),
    ).toEqual([])
    expect(existsSync(join(core, "test/laws/schedules.test.ts"))).toBe(true)
  })
})
