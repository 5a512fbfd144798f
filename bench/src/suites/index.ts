import type { Suite } from "../harness.ts"

/** In the order in which they run. Loaded on demand: each runs in a process of its own. */
export const suites: { readonly [name: string]: () => Promise<Suite> } = {
  promise: async () => (await import("./promise.ts")).suite,
  effect: async () => (await import("./effect.ts")).suite,
  bytes: async () => (await import("./bytes.ts")).suite,
  requests: async () => (await import("./requests.ts")).suite,
  lifecycle: async () => (await import("./lifecycle.ts")).suite,
  heap: async () => (await import("./heap.ts")).suite,
  many: async () => (await import("./many.ts")).suite,
  queue: async () => (await import("./queue.ts")).suite,
  drain: async () => (await import("./drain.ts")).suite,
  sweep: async () => (await import("./sweep.ts")).suite,
  metrics: async () => (await import("./metrics.ts")).suite,
  http: async () => (await import("./http.ts")).suite,
}
