import type { Generation } from "../session/Generation.ts"
import { TaskList, type Task } from "./Task.ts"

/** Work that holds a slot or runs beside the turns. */
export const enlist = (generation: Generation, task: Task): void => {
  ;(generation.running ??= new TaskList()).push(task)
  generation.inUse++
  if (!task.beside) generation.slotsTaken++
}
export const discharge = (generation: Generation, task: Task): void => {
  const { running } = generation
  running?.remove(task)
  // An idle session must not pay for an empty list.
  if (running?.size === 0) generation.running = undefined
  generation.inUse--
  if (!task.beside) generation.slotsTaken--
}
