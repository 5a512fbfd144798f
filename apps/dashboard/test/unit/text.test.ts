import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { formatBytes, formatCount, formatIn, formatMs } from "../../src/text/format.ts"
import { visible } from "../../src/text/visible.ts"
import { hostile } from "../../workbench/src/hostile.ts"

/** Whatever turns, hides or moves what stands beside it. */
const dangerous = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/u
const emoji = /\p{RGI_Emoji}/gv

describe("text of somebody else's", () => {
  it("is shown with nothing in it that cannot be seen", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
          fc.constantFrom(...hostile.map(([, text]) => text)),
        ),
        fc.integer({ min: 1, max: 300 }),
        (text, most) => {
          const shown = visible(text, most)
          expect(shown.text.replaceAll(emoji, "")).not.toMatch(dangerous)
          expect(shown.text.isWellFormed()).toBe(true)
          expect(shown.cutFrom).toBe(text.length > most ? text.length : undefined)
        },
      ),
      { numRuns: 2000 },
    )
  })
  it("every character of Unicode that Unicode calls a control or a format is named", () => {
    const left: Array<string> = []
    for (let code = 0; code <= 0x10ffff; code += 1) {
      const { text } = visible(String.fromCodePoint(code))
      if (dangerous.test(text)) left.push(code.toString(16))
    }
    expect(left).toEqual([])
  })
  it("is never longer than its bound allows, whatever is named", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 400 }),
        fc.integer({ min: 1, max: 50 }),
        (text, most) => {
          expect(visible(text, most).text.length).toBeLessThanOrEqual(most * "[U+10FFFF]".length + 1)
        },
      ),
    )
  })
  it("is as it was where nothing is wrong with it", () => {
    for (const text of ["chat 7", "naïve café", "日本語", "שלום", "a <b> & c", "👋🏽", "👩‍👩‍👧‍👦 and 🏳️‍🌈"])
      expect(visible(text)).toEqual({ text, cutFrom: undefined })
  })
})

describe("numbers", () => {
  it.each([
    [0, "0 ms"],
    [0.4, "0.4 ms"],
    [999.4, "999 ms"],
    [999.6, "1 s"],
    [1500, "1.5 s"],
    [59_940, "59.9 s"],
    [59_960, "1 min"],
    [61_000, "1 min 1 s"],
    [3_599_600, "1 h"],
    [7_500_000, "2 h 5 min"],
    [86_399_999, "1 d"],
    [270_000_000, "3 d 3 h"],
    [-1500, "−1.5 s"],
    [Number.NaN, "–"],
  ])("%s ms reads %s", (ms, words) => expect(formatMs(ms)).toBe(words))
  it("a longer time never reads shorter by its unit", () => {
    const units = ["ms", "s", "min", "h", "d"]
    const unitOf = (ms: number) => units.indexOf(formatMs(ms).split(" ")[1] ?? "")
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        (a, b) => {
          expect(unitOf(Math.min(a, b))).toBeLessThanOrEqual(unitOf(Math.max(a, b)))
          expect(formatMs(a)).not.toMatch(/60 s|60 min|24 h|1000 ms|1,000 ms/u)
        },
      ),
    )
  })
  it("other units", () => {
    expect(formatBytes(1023)).toBe("1,023 B")
    expect(formatBytes(1536)).toBe("1.5 KiB")
    expect(formatBytes(1_048_576)).toBe("1 MiB")
    expect(formatCount(1_234_567)).toBe("1,234,567")
    expect(formatIn("ratio", 0.1234)).toBe("12.3 %")
    expect(formatIn("count", null)).toBe("–")
    expect(formatIn("perSecond", 12)).toBe("12/s")
  })
})
