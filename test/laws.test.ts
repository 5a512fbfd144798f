/** Every law is cited by the title of a test for each face; no title cites a law that does not exist. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { laws } from "./laws.ts"
import { filesBelow, root, type SourceFile } from "./support/files.ts"
import { titlesOf } from "./support/source.ts"

/** Functions whose first argument is the title of a test or of a group of tests. */
const callees = ["describe", "it", "test", "suite", "layer"]

const faces = ["promise", "effect"] as const
type Face = (typeof faces)[number]

/** Where a test has to live to speak for a face. */
const facesOf = (path: string): ReadonlyArray<Face> => {
  if (path.startsWith("packages/core/test/both/")) return faces
  return faces.filter((face) => path.startsWith(`packages/core/test/${face}/`))
}

interface Citation {
  readonly law: string
  readonly path: string
}

const citations = (files: ReadonlyArray<SourceFile>): ReadonlyArray<Citation> =>
  files.flatMap(({ path, text }) =>
    titlesOf(text, callees).flatMap((title) =>
      (title.match(/\bL\d+\b/g) ?? []).map((law) => ({ law, path })),
    ),
  )

const uncited = (cited: ReadonlyArray<Citation>, face: Face): ReadonlyArray<string> => {
  const found = new Set(cited.filter(({ path }) => facesOf(path).includes(face)).map(({ law }) => law))
  return laws.filter(({ id }) => !found.has(id)).map(({ id, title }) => `${id}: ${title}`)
}

const unknown = (cited: ReadonlyArray<Citation>): ReadonlyArray<string> => {
  const known = new Set(laws.map(({ id }) => id))
  return cited.filter(({ law }) => !known.has(law)).map(({ law, path }) => `${law} in ${path}`)
}

describe("laws and the tests that cite them", () => {
  const cited = citations(
    filesBelow("packages")
      .filter((path) => /^packages\/[^/]+\/test\/.*\.test\.ts$/.test(path))
      .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") })),
  )

  it.each(faces)("every law is cited for the %s face", (face) => {
    expect(uncited(cited, face)).toEqual([])
  })

  it("no title cites a law that does not exist", () => {
    expect(unknown(cited)).toEqual([])
  })

  it("ids are unique", () => {
    expect(new Set(laws.map(({ id }) => id)).size).toBe(laws.length)
  })
})

describe("the gate finds what it looks for", () => {
  const planted = (path: string, text: string) => citations([{ path: `packages/core/test/${path}`, text }])

  it("citations in every form of a title", () => {
    const text = [
      'describe("L1: one open", () => {',
      '  it.effect("keeps order, L6 and L8", () => check("L2"))',
      "  it.each([[1], [2]])(`turn %i of L4`, () => {})",
      '  // it("L5 is only in a comment")',
      '  const pattern = /"L7/',
      '  it(\n    "L9", () => expect("L3").toBe("L3"))',
      '  it.prop([fc.string()])("XL10 and L10x are other words", () => {})',
      "})",
    ].join("\n")
    expect(planted("promise/a.test.ts", text).map(({ law }) => law)).toEqual(["L1", "L6", "L8", "L4", "L9"])
  })

  it("a law without a citation, for the face that lacks it", () => {
    const cited = planted("promise/a.test.ts", 'it("L1: one open", () => {})')
    const missing = (face: Face) => uncited(cited, face).some((line) => line.startsWith("L1:"))
    expect([missing("promise"), missing("effect")]).toEqual([false, true])
    const both = planted("both/a.test.ts", 'it("L1: one open", () => {})')
    expect(faces.filter((face) => uncited(both, face).some((line) => line.startsWith("L1:")))).toEqual([])
  })

  it("a citation of no known law", () => {
    expect(unknown(planted("promise/a.test.ts", 'it("L99: no such law", () => {})'))).toHaveLength(1)
  })
})
