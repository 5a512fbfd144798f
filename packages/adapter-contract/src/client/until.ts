import type { AnySessions, SessionEvent } from "@sojourn/core"

type Tagged<T extends SessionEvent["_tag"]> = Extract<SessionEvent, { readonly _tag: T }>

/** The first such event from now on. */
export const next = <T extends SessionEvent["_tag"]>(
  sessions: AnySessions,
  tag: T,
  which: (event: Tagged<T>) => boolean = () => true,
): Promise<Tagged<T>> =>
  new Promise((resolve) => {
    const subscription = sessions.subscribe((event) => {
      if (event._tag !== tag || !which(event as Tagged<T>)) return
      subscription()
      resolve(event as Tagged<T>)
    })
  })

/** Looks once in each turn of the event loop: work may end a little after its caller, and the events, were told. */
export const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

/** Nothing runs and nobody waits. */
export const atRest = (sessions: AnySessions): Promise<void> =>
  until(() => {
    const { running, queued } = sessions.snapshot().counts
    return running + queued === 0
  })
