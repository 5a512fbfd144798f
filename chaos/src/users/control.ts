/** What users do to sessions rather than with them: cancel, close, restart, hurt, look. */
import type { SessionKey } from "@sojourn/core"
import { keyLabel, settled } from "../book/Book.ts"
import type { Random } from "../random.ts"
import { declareBroken } from "../world/kinds.ts"
import type { Scene, Site } from "../world/Scene.ts"

export const closeOne = async (scene: Scene, site: Site, key: SessionKey, random: Random): Promise<void> => {
  const within = random.chance(0.4) ? random.between(10, 400) : 0
  scene.tally.fire(within > 0 ? "session is closed with time to finish" : "session is closed")
  const ask = scene.book.ask("close", site.record, keyLabel(key), within)
  scene.book.answer(
    ask,
    await settled(site.sessions.close(key, within > 0 ? { finishWithin: within } : undefined)),
  )
}

export const restartOne = async (
  scene: Scene,
  site: Site,
  key: SessionKey,
  random: Random,
): Promise<void> => {
  const within = random.chance(0.4) ? random.between(10, 400) : 0
  scene.tally.fire(within > 0 ? "session is restarted with time to finish" : "session is restarted")
  const ask = scene.book.ask("restart", site.record, keyLabel(key), within)
  scene.book.answer(
    ask,
    await settled(site.sessions.restart(key, within > 0 ? { finishWithin: within } : undefined)),
  )
}

export const cancelSome = async (
  scene: Scene,
  site: Site,
  key: SessionKey,
  random: Random,
): Promise<void> => {
  const task = random.chance(0.5) ? random.pick(site.sessions.explain(key).tasks)?.id : undefined
  scene.tally.fire(task === undefined ? "caller cancels a session" : "caller cancels a task")
  const ask = scene.book.ask("cancel", site.record, keyLabel(key), 0)
  scene.book.answer(ask, await settled(site.sessions.cancel(key, task === undefined ? undefined : { task })))
}

/** From no turn at all: an event of a socket, a child, a timer. */
export const hurtOne = (scene: Scene, site: Site, random: Random): void => {
  const resource = random.pick([...site.live])
  if (resource === undefined) return
  switch (random.weighted({ harm: 4, broken: 2, end: 2 })) {
    case "harm":
      return resource.harm()
    case "broken":
      scene.tally.fire("resource declared broken from outside")
      return declareBroken(scene, resource.life, resource.opening, new Error("declared broken from outside"))
    case "end":
      scene.tally.fire("resource declared ended from outside")
      return resource.opening.end()
  }
}

/** Questions that change nothing and never fail. */
export const look = (scene: Scene, site: Site, key: SessionKey): void => {
  const { book } = scene
  try {
    const explanation = site.sessions.explain(key)
    if (String(explanation).length === 0) book.violated("looking", "an explanation without words")
    site.sessions.snapshot({ limit: 5 })
    JSON.stringify(explanation, (_, value: unknown) => (value instanceof Error ? value.message : value))
  } catch (error) {
    book.violated("looking", `explain or snapshot threw ${String(error)}`, keyLabel(key))
  }
}
