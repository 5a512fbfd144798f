import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { arrange, waitingWords, type Arrangement } from "../../src/grid/arrange.ts"
import { chosenColumns } from "../../src/grid/columns.ts"
import { GridModel } from "../../src/grid/GridModel.ts"
import { moved } from "../../src/grid/move.ts"
import { rowKeys } from "../../src/grid/rowKeys.ts"
import { isSelected, nothingSelected, selectionParam, toggled, type RowWindow } from "../../src/grid/rows.ts"
import { mostPixels, scrollFor, viewport } from "../../src/grid/viewport.ts"
import { readParams, writeParams } from "../../src/url/params.ts"
import { Store } from "../../src/state/Store.ts"

interface Row {
  readonly id: string
  readonly value: number
}
const idOf = ({ id }: Row) => id
const window = (ids: string, offset = 0, total = ids.length + offset, value = 0): RowWindow<Row> => ({
  total,
  offset,
  rows: [...ids].map((id) => ({ id, value })),
})
const ids = ({ at }: Arrangement<Row>): string =>
  [...at]
    .toSorted(([a], [b]) => a - b)
    .map(([, placed]) => (placed.left ? `(${placed.id})` : placed.id))
    .join("")

describe("which row is shown where", () => {
  const first = arrange(undefined, window("abcde"), idOf, false)
  it("is as the server has it where nobody is at the rows", () => {
    expect(ids(arrange(first, window("edcba"), idOf, false))).toBe("edcba")
  })
  it("stays while somebody is at them, with new values", () => {
    const held = arrange(first, window("edcba", 0, 5, 7), idOf, true)
    expect(ids(held)).toBe("abcde")
    expect([...held.at.values()].every(({ row }) => row.value === 7)).toBe(true)
    expect(held.waiting).toEqual({ added: 0, moved: 4, gone: 0 })
  })
  it("says what is gone, what is new, and what has moved", () => {
    const held = arrange(first, window("xabdc"), idOf, true)
    expect(ids(held)).toBe("abcd(e)")
    expect(held.waiting).toEqual({ added: 1, moved: 3, gone: 1 })
    expect(waitingWords(held.waiting)).toBe("1 new, 3 reordered, 1 gone")
    expect(waitingWords(first.waiting)).toBeUndefined()
  })
  it("rows scrolled to while held are shown, and then held too", () => {
    const scrolled = arrange(first, window("fgh", 5, 8), idOf, true)
    expect(ids(scrolled)).toBe("abcde")
    const longer = arrange(
      arrange(undefined, window("abc", 0, 100), idOf, false),
      window("xyz", 50, 100),
      idOf,
      true,
    )
    expect(longer.at.get(51)?.id).toBe("y")
    expect(arrange(longer, window("yxz", 50, 100), idOf, true).at.get(51)?.id).toBe("y")
  })
  it("far places are forgotten, so that a long walk keeps no more than it needs", () => {
    let held = arrange(undefined, window("a", 0, 1e6), idOf, false)
    for (let offset = 0; offset < 200_000; offset += 100)
      held = arrange(
        held,
        {
          total: 1e6,
          offset,
          rows: Array.from({ length: 100 }, (_, row) => ({ id: `${offset + row}`, value: 0 })),
        },
        idOf,
        true,
      )
    expect(held.at.size).toBeLessThan(2500)
  })
  it("held: whatever comes, a place never changes its row, and values are the latest", () => {
    const letters = fc.uniqueArray(fc.constantFrom(..."abcdefghijkl"), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(letters, fc.array(fc.tuple(letters, fc.nat(6)), { maxLength: 6 }), (start, later) => {
        let shown = arrange(undefined, window(start.join("")), idOf, false)
        for (const [step, [order, offset]] of later.entries()) {
          const next = window(order.join(""), offset, 20, step + 1)
          const before = shown
          shown = arrange(before, next, idOf, true)
          for (const [index, { id }] of before.at) expect(shown.at.get(index)?.id).toBe(id)
          const latest = new Map(next.rows.map((row) => [row.id, row]))
          for (const { id, row } of shown.at.values()) if (latest.has(id)) expect(row).toBe(latest.get(id))
          expect(shown.total).toBe(before.total)
        }
      }),
    )
  })
  it("what did not change is the same object, so that it is not rendered", () => {
    const rows = [..."abc"].map((id) => ({ id, value: 0 }))
    const before = arrange(undefined, { total: 3, offset: 0, rows }, idOf, false)
    const [a, b, c] = rows as [Row, Row, Row]
    const after = arrange(before, { total: 3, offset: 0, rows: [a, { ...b, value: 1 }, c] }, idOf, false)
    expect([0, 1, 2].map((index) => after.at.get(index) === before.at.get(index))).toEqual([
      true,
      false,
      true,
    ])
    const reordered = arrange(after, { total: 3, offset: 0, rows: [c, a] }, idOf, false)
    expect([reordered.at.get(0), reordered.at.get(1)]).toEqual([after.at.get(2), after.at.get(0)])
    expect(reordered.at.get(0)).toBe(after.at.get(2))
  })
})

describe("a grid's rows", () => {
  const rig = () => {
    const store = new Store<RowWindow<Row> | undefined>(undefined)
    const model = new GridModel<Row>({ get: store.get, subscribe: store.subscribe, ask: () => {} }, idOf)
    model.subscribe(() => {})
    return {
      store,
      model,
      now: () => (model.get() === undefined ? undefined : ids(model.get() as Arrangement<Row>)),
    }
  }
  it("are held for as long as anything holds them, and then as the server has them", () => {
    const { store, model, now } = rig()
    store.set(window("abc"))
    model.hold("hover", true)
    model.hold("focus", true)
    store.set(window("cba"))
    model.hold("hover", false)
    expect(now()).toBe("abc")
    model.hold("focus", false)
    expect(now()).toBe("cba")
  })
  it("are shown anew when asked, and held from there", () => {
    const { store, model, now } = rig()
    store.set(window("abc"))
    model.hold("selection", true)
    store.set(window("cxab"))
    expect(model.apply("a")).toBe(2)
    expect(now()).toBe("cxab")
    store.set(window("abcx"))
    expect(now()).toBe("cxab")
    expect(model.apply("z")).toBeUndefined()
  })
  it("of another question are awaited: the old answer is not shown for the new one", () => {
    const { store, model, now } = rig()
    store.set(window("abc"))
    model.hold("focus", true)
    model.reset()
    model.hold("hover", true)
    expect(now()).toBeUndefined()
    store.set(window("xy"))
    expect(now()).toBe("xy")
  })
})

describe("which element shows which row", () => {
  const wanted = fc
    .uniqueArray(fc.tuple(fc.nat(30), fc.option(fc.nat(40).map(String), { nil: undefined })), {
      selector: ([index]) => index,
    })
    .map((pairs) => new Map(pairs))
  it("each its own; a row keeps its element; one that comes takes the one that waited; none is made while one is free", () => {
    fc.assert(
      fc.property(fc.array(wanted, { minLength: 2, maxLength: 6 }), (renders) => {
        let last: ReturnType<typeof rowKeys> = new Map()
        for (const now of renders) {
          const next = rowKeys(last, now)
          const used = [...next.values()].map(({ key }) => key)
          expect(new Set(used).size).toBe(now.size)
          expect([...next.keys()].toSorted((a, b) => a - b)).toEqual(
            [...now.keys()].toSorted((a, b) => a - b),
          )
          const before = [...last.values()]
          const distinct = (id: string) => [...now.values()].filter((other) => other === id).length === 1
          for (const { id, key } of before)
            if (id !== undefined && before.filter((other) => other.id === id).length === 1 && distinct(id))
              expect([...next.values()].find((row) => row.id === id)?.key).toBe(key)
          const old = new Set(before.map(({ key }) => key))
          const made = used.filter((key) => !old.has(key)).length
          expect(made).toBe(Math.max(0, now.size - last.size))
          last = next
        }
      }),
      { numRuns: 500 },
    )
  })
  it("the place that has the focus keeps its element while its row comes and is forgotten", () => {
    const first = rowKeys(
      new Map(),
      new Map([
        [5, undefined],
        [6, "b"],
      ]),
    )
    const came = rowKeys(
      first,
      new Map([
        [5, "a"],
        [6, "b"],
      ]),
    )
    const left = rowKeys(
      came,
      new Map([
        [5, undefined],
        [9000, "x"],
      ]),
    )
    expect(came.get(5)?.key).toBe(first.get(5)?.key)
    expect(left.get(5)?.key).toBe(first.get(5)?.key)
  })
})

describe("which rows lie in the window", () => {
  const measures = fc.record({
    total: fc.integer({ min: 1, max: 10_000_000 }),
    rowHeight: fc.constantFrom(28, 36, 52.5),
    viewHeight: fc.integer({ min: 40, max: 2000 }),
  })
  it("fill it, from its top to its bottom, wherever it is scrolled", () => {
    fc.assert(
      fc.property(measures, fc.double({ min: 0, max: 1, noNaN: true }), (given, part) => {
        const { height } = viewport(given, 0)
        expect(height).toBeLessThanOrEqual(mostPixels)
        const scrolled = part * Math.max(0, height - given.viewHeight)
        const { first, count, top } = viewport(given, scrolled)
        expect(top).toBeLessThanOrEqual(scrolled + 0.01)
        const bottom = top + count * given.rowHeight
        expect(bottom).toBeGreaterThanOrEqual(Math.min(scrolled + given.viewHeight, height) - 0.01)
        expect(first + count).toBeLessThanOrEqual(given.total)
      }),
    )
  })
  it("begin with the first and end with the last", () => {
    fc.assert(
      fc.property(measures, (given) => {
        expect(viewport(given, 0).first).toBe(0)
        const { first, count } = viewport(given, Number.MAX_SAFE_INTEGER)
        expect(first + count).toBe(given.total)
      }),
    )
  })
  it("any row can be scrolled to, and is then seen whole", () => {
    fc.assert(
      fc.property(
        measures,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (given, from, to) => {
          const { height } = viewport(given, 0)
          const index = Math.floor(to * (given.total - 1))
          const scrolled = scrollFor(given, from * Math.max(0, height - given.viewHeight), index)
          const { first, top } = viewport(given, scrolled)
          const rowTop = top + (index - first) * given.rowHeight
          const within = Math.min(scrolled, Math.max(0, height - given.viewHeight))
          expect(rowTop).toBeGreaterThanOrEqual(within - 0.5)
          if (given.viewHeight >= given.rowHeight)
            expect(rowTop + given.rowHeight).toBeLessThanOrEqual(within + given.viewHeight + 0.5)
        },
      ),
    )
  })
})

describe("keys in a grid", () => {
  const bounds = { rows: 100, columns: 5, page: 10 }
  const from = (row: number, column: number, stroke: string) => {
    const to = moved({ row, column }, stroke, bounds)
    return to === undefined ? undefined : [to.row, to.column]
  }
  it.each([
    [50, 2, "ArrowDown", [51, 2]],
    [99, 2, "ArrowDown", [99, 2]],
    [0, 2, "ArrowUp", [-1, 2]],
    [-1, 2, "ArrowUp", [-1, 2]],
    [0, 2, "k", [0, 2]],
    [-1, 2, "j", [0, 2]],
    [50, 0, "ArrowLeft", [50, 0]],
    [50, 4, "ArrowRight", [50, 4]],
    [50, 2, "Home", [50, 0]],
    [50, 2, "End", [50, 4]],
    [50, 2, "Mod+Home", [0, 0]],
    [50, 2, "Mod+End", [99, 4]],
    [50, 2, "PageDown", [60, 2]],
    [95, 2, "PageDown", [99, 2]],
    [5, 2, "PageUp", [0, 2]],
    [-1, 2, "PageDown", [10, 2]],
    [5, 2, "Enter", undefined],
  ])("from row %i column %i %s leads to %j", (row, column, stroke, to) =>
    expect(from(row, column, stroke)).toEqual(to),
  )
})

describe("selection", () => {
  it("is part of the address, whatever rows are called", () => {
    const params = { sel: selectionParam }
    fc.assert(
      fc.property(
        fc.oneof(
          fc.constant({ mode: "all" } as const),
          fc
            .uniqueArray(fc.oneof(fc.constantFrom("*", "=", ""), fc.string()), { maxLength: 100 })
            .map((all) => ({ mode: "some", ids: new Set(all) }) as const),
        ),
        (sel) => {
          expect(readParams(params, writeParams(params, { sel }))).toEqual({ sel })
        },
      ),
    )
    const many = new Set(Array.from({ length: 150 }, (_, index) => `${index}`))
    expect(toggled({ mode: "some", ids: new Set([...many].slice(0, 100)) }, "new")).toMatchObject({
      ids: { size: 100 },
    })
    expect(readParams(params, writeParams(params, { sel: { mode: "some", ids: many } })).sel).toMatchObject({
      ids: { size: 100 },
    })
  })
  it("of some and of all", () => {
    const one = toggled(nothingSelected, "a")
    expect([isSelected(one, "a"), isSelected(one, "b")]).toEqual([true, false])
    expect(toggled(one, "a")).toEqual(nothingSelected)
    expect(isSelected({ mode: "all" }, "never seen")).toBe(true)
    expect(toggled({ mode: "all" }, "a")).toEqual(nothingSelected)
  })
})

it("columns that say what a row is cannot be left out", () => {
  const column = (id: string, always = false) => ({ id, title: id, width: 1, always, cell: () => null })
  const all = [column("name", true), column("a"), column("b")]
  const chosen = (wanted: ReadonlyArray<string>) => chosenColumns(all, wanted).map(({ id }) => id)
  expect(chosen(["b", "a"])).toEqual(["name", "b", "a"])
  expect(chosen(["b", "name"])).toEqual(["b", "name"])
  expect(chosen(["nothing"])).toEqual(["name"])
})
