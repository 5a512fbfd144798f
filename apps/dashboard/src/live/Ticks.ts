/** The time, told to all who show ages at once, so that a page of ages renders once a second and not once for each. */
import { Store, type Readable } from "../state/Store.ts"

/** Ticks only while somebody watches. */
export const ticks = (everyMs: number, now: () => number = Date.now): Readable<number> => {
  const store = new Store(now())
  let timer: ReturnType<typeof setInterval> | undefined
  return {
    get: store.get,
    subscribe: (listener) => {
      const unsubscribe = store.subscribe(listener)
      if (timer === undefined) {
        timer = setInterval(() => store.set(now()), everyMs)
        store.set(now())
      }
      return () => {
        unsubscribe()
        if (store.watchers === 0 && timer !== undefined) {
          clearInterval(timer)
          timer = undefined
        }
      }
    },
  }
}

export const everySecond: Readable<number> = ticks(1000)
