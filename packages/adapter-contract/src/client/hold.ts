import type { App } from "../App.ts"

/** From now on turns run until they are let go, or told to stop. */
export interface Held {
  /** The first of them runs; its signal. */
  readonly started: Promise<AbortSignal>
  readonly go: () => void
  /** Turns that begin from now on do what they did before. */
  readonly free: () => void
}

export const hold = (app: App): Held => {
  const go = Promise.withResolvers<object>()
  const started = Promise.withResolvers<AbortSignal>()
  const { turn } = app.script
  app.script.turn = (_counter, { signal }) => {
    started.resolve(signal)
    const stop = Promise.withResolvers<never>()
    signal.addEventListener("abort", () => stop.reject(new Error("stopped")), { once: true })
    return Promise.race([go.promise, stop.promise])
  }
  return {
    started: started.promise,
    go: () => go.resolve({}),
    free: () => {
      app.script.turn = turn
    },
  }
}
