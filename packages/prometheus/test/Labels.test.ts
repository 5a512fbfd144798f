import { expect, test } from "vitest"
import { Labels, mostKinds, mostTasks, mostTasksOfAKind, other } from "../src/Labels.ts"

const numbers = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, number) => number)

test("names that are shown for a second live registry are one kind; other numbers are names", () => {
  const labels = new Labels()
  const kinds = ["room", "room#2", "room#13", "room#1", "room#0", "room#02", "room#2b", "#2"]
  expect(kinds.map((name) => labels.kindOf(name))).toEqual([
    "room",
    "room",
    "room",
    "room#1",
    "room#0",
    "room#02",
    "room#2b",
    // Without a kind it would have no label.
    "#2",
  ])
})

test("what is beyond the bounds is other, and stays so; what was known before stays itself", () => {
  const labels = new Labels()
  for (const number of numbers(mostKinds)) expect(labels.kindOf(`kind ${number}`)).toBe(`kind ${number}`)
  expect([labels.kindOf("late"), labels.kindOf("later"), labels.kindOf("kind 7#2")]).toEqual([
    other,
    other,
    "kind 7",
  ])
  for (const number of numbers(mostTasksOfAKind))
    expect(labels.taskOf("kind 0", `task ${number}`)).toBe(`task ${number}`)
  expect([labels.taskOf("kind 0", "more"), labels.taskOf("kind 0", "task 3")]).toEqual([other, "task 3"])
  expect(labels.taskOf("kind 1", "more")).toBe("more")
})

test("tasks of all kinds together are bounded as well", () => {
  const labels = new Labels()
  const shown = new Set<string>()
  for (const kind of numbers(mostKinds)) {
    const name = labels.kindOf(`kind ${kind}`)
    for (const task of numbers(20)) {
      const label = labels.taskOf(name, `task ${task}`)
      if (label !== other) shown.add(`${name} ${label}`)
    }
  }
  expect(shown.size).toBe(mostTasks)
})
