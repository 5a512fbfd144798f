/** Who owns what: a generation owns what was registered on it, from that moment to its release (L4). */
import type { Finalizer, Generation } from "./Generation.ts"

/** Its finalizers have begun: what is registered now runs at once. */
export const isOver = (generation: Generation): boolean =>
  generation.phase === "finalizing" || generation.gone

export const keep = (generation: Generation, finalizer: Finalizer): void => {
  if (isOver(generation)) generation.session.registry.closing.late(generation, finalizer)
  else generation.addFinalizer(finalizer)
}
