import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Commands } from "../../src/keys/Commands.ts"
import {
  isSingleKey,
  press,
  shownKeys,
  strokeOf,
  type Binding,
  type KeyPress,
} from "../../src/keys/strokes.ts"
import { rank } from "../../src/shell/rank.ts"

const key = (name: string, held: Partial<KeyPress> = {}): KeyPress => ({
  key: name,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...held,
})

describe("strokes", () => {
  it.each([
    [key("j"), "j"],
    [key("?", { shiftKey: true }), "?"],
    [key(" "), "Space"],
    [key(" ", { shiftKey: true }), "Shift+Space"],
    [key("k", { ctrlKey: true }), "Mod+k"],
    [key("K", { metaKey: true, shiftKey: true }), "Mod+k"],
    [key("Home", { ctrlKey: true }), "Mod+Home"],
    [key("ArrowDown", { shiftKey: true }), "Shift+ArrowDown"],
    [key("Esc"), "Escape"],
    [key("+", { ctrlKey: true }), "Mod++"],
    [key("é"), "é"],
    [key("x", { altKey: true }), undefined],
    [key("Dead"), undefined],
    [key("Shift", { shiftKey: true }), undefined],
    [key("Process"), undefined],
  ])("%o", (event, stroke) => expect(strokeOf(event)).toBe(stroke))
  it("single keys are those that somebody could say", () => {
    expect(["j", "g s", "Space", "?"].map(isSingleKey)).toEqual([true, true, true, true])
    expect(["Mod+k", "Escape", "ArrowDown", "Enter"].map(isSingleKey)).toEqual([false, false, false, false])
  })
  it("for people", () => {
    expect(shownKeys("Mod+k", false)).toEqual(["Ctrl", "k"])
    expect(shownKeys("Mod+k", true)).toEqual(["⌘", "k"])
    expect(shownKeys("g s", false)).toEqual(["g", "s"])
    expect(shownKeys("Mod++", false)).toEqual(["Ctrl", "+"])
  })
})

const bindings: ReadonlyArray<Binding> = [
  { id: "sessions", keys: "g s" },
  { id: "tasks", keys: "g t" },
  { id: "select", keys: "s" },
  { id: "next", keys: "j" },
]
/** Which commands a row of strokes calls. */
const called = (strokes: ReadonlyArray<string>, all = bindings): ReadonlyArray<string> => {
  let pending: ReadonlyArray<string> = []
  const ids: Array<string> = []
  for (const stroke of strokes) {
    const pressed = press(all, pending, stroke)
    pending = pressed.what === "more" ? pressed.pending : []
    if (pressed.what === "command") ids.push(pressed.id)
  }
  return ids
}

describe("sequences", () => {
  it.each([
    [["g", "s"], ["sessions"]],
    [["s"], ["select"]],
    [["g", "j"], ["next"]],
    [["g", "g", "t"], ["tasks"]],
    [["g", "x", "s"], ["select"]],
    [
      ["Escape", "j", "j"],
      ["next", "next"],
    ],
  ])("%j calls %j", (strokes, ids) => expect(called(strokes)).toEqual(ids))
  it("the later binding of the same keys wins", () => {
    expect(called(["j"], [...bindings, { id: "mine", keys: "j" }])).toEqual(["mine"])
  })
  it("whatever was pressed before, a whole binding after something unbound is found", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("g", "s", "t", "j", "x")),
        fc.constantFrom(...bindings),
        (before, { id, keys }) => {
          expect(called([...before, "Escape", ...keys.split(" ")]).at(-1)).toBe(id)
        },
      ),
    )
  })
})

describe("commands", () => {
  const command = (id: string, run: () => void) => ({ id, title: id, group: "Test", keys: [id], run })
  it("a later one stands in while it is there", () => {
    const commands = new Commands()
    const ran: Array<string> = []
    commands.add([command("x", () => ran.push("first"))])
    const take = commands.add([command("x", () => ran.push("second"))])
    commands.run("x")
    expect(commands.current()).toHaveLength(1)
    take()
    commands.run("x")
    expect(ran).toEqual(["second", "first"])
    expect(commands.run("y")).toBe(false)
  })
  it("are found by what people type", () => {
    const all = [
      { title: "Go to Sessions", group: "Go to" },
      { title: "Go to Tasks", group: "Go to" },
      { title: "Pause", group: "Data", words: "freeze stop" },
      { title: "Theme: dark", group: "Appearance" },
    ]
    const titles = (typed: string) => rank(typed, all).map(({ title }) => title)
    expect(titles("")).toHaveLength(4)
    expect(titles("ses")).toEqual(["Go to Sessions"])
    expect(titles("gtt")[0]).toBe("Go to Tasks")
    expect(titles("freeze")).toEqual(["Pause"])
    expect(titles("appear")).toEqual(["Theme: dark"])
    expect(titles("zzz")).toEqual([])
  })
})
