import { describe, expect, it } from "vitest"
import { applyEdits, DoesNotApply } from "../src/applyEdits.ts"
import { edit } from "../src/Mutant.ts"

const text = "one two three two"
const change = (find: string, replace: string) => edit("a.ts", find, replace)

describe("applying edits", () => {
  it("changes each place, whatever the order in which they are listed", () => {
    expect(applyEdits(text, [change("three", "3"), change("one", "$& 1")])).toBe("$& 1 two 3 two")
  })

  it.each([
    ["is not there", [change("four", "4")]],
    ["is there twice", [change("two", "2")]],
    ["is empty", [change("", "2")]],
    ["changes nothing", [change("one", "one")]],
    ["overlaps with another", [change("one two", "1 2"), change("two three", "2 3")]],
    ["finds what another one would make", [change("one", "four"), change("four", "4")]],
  ])("refuses an edit that %s", (_, edits) => {
    expect(() => applyEdits(text, edits)).toThrow(DoesNotApply)
  })
})
