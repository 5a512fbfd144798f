/** What an inspector reads of a world. */
import { inspectionOf, liveRegistries, type Inspection, type LiveTask } from "../../src/inspect.ts"

/** The world's `sessions` may be a copy with a face of its own. */
export const inspect = (w: { readonly sessions: { readonly name: string } }): Inspection => {
  const sessions = liveRegistries().find(({ name }) => name === w.sessions.name)
  const inspection = sessions === undefined ? undefined : inspectionOf(sessions)
  if (inspection === undefined) throw new Error("nothing to inspect")
  return inspection
}

/** The live task of this name. */
export const taskNamed = (of: Inspection, name: string): LiveTask => {
  const found: Array<LiveTask> = []
  of.each((session) => {
    for (const task of session.tasks()) if (task.name === name) found.push(task)
  })
  const [task] = found
  if (task === undefined || found.length > 1) throw new Error(`${found.length} tasks are called ${name}`)
  return task
}
