import fc from "fast-check"
import { expect, test } from "vitest"
import { Task, TaskList } from "../../src/task/Task.ts"

class Stub extends Task {
  begin(): void {}
  stop(): void {}
  deliver(): void {}
}
let numbers = 0
const registry = { nextTask: () => ++numbers } as unknown as Task["registry"]
const make = (): Task => new Stub(registry, "turn", "stub", false)

const fullyLinked = (list: TaskList): ReadonlyArray<Task> => {
  const backwards: Array<Task> = []
  for (let task = list.last; task !== undefined; task = task.before) backwards.push(task)
  return backwards.toReversed()
}

test("L6: pushed and removed anywhere, it is an array in the order of arrival, forwards and backwards", () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat({ max: 30 })), { maxLength: 60 }), (steps) => {
      const list = new TaskList()
      const model: Array<Task> = []
      for (const step of steps) {
        const victim = step === null ? undefined : model[step % Math.max(1, model.length)]
        if (victim === undefined) {
          const task = make()
          list.push(task)
          model.push(task)
        } else {
          list.remove(victim)
          model.splice(model.indexOf(victim), 1)
          expect([victim.before, victim.behind]).toEqual([undefined, undefined])
        }
        expect(list.size).toBe(model.length)
        expect(list.first).toBe(model[0])
        expect(list.last).toBe(model.at(-1))
        expect([...list]).toEqual(model)
        expect(fullyLinked(list)).toEqual(model)
      }
    }),
    { numRuns: 200 },
  )
})

test("L6: whoever iterates may remove the one it was given, and all others", () => {
  const list = new TaskList()
  const tasks = Array.from({ length: 5 }, make)
  for (const task of tasks) list.push(task)
  const seen: Array<Task> = []
  for (const task of list) {
    seen.push(task)
    list.remove(task)
  }
  expect(seen).toEqual(tasks)
  expect([list.size, list.first, list.last]).toEqual([0, undefined, undefined])
})
