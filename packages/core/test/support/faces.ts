/**
 * Both faces behind one shape, so that a law is written once and proven on each: `describe.each(faces)("$face", …)`.
 */
import type { SessionOptions } from "../../src/SessionOptions.ts"
import type { Opening } from "../../src/Sessions.ts"
import { effectWorld } from "./effectWorld.ts"
import { world, type Thing, type World } from "./ledger.ts"
import type { VirtualClock } from "./VirtualClock.ts"

export interface Face {
  readonly face: "Promise face" | "Effect face"
  /** A registry in virtual time over counted resources; `before` runs inside the opening, before the resource exists. */
  readonly world: (
    policy?: Omit<SessionOptions<Thing>, "name" | "open">,
    before?: (opening: Opening) => unknown,
    clock?: VirtualClock,
  ) => World<Thing>
}

export const faces: ReadonlyArray<Face> = [
  { face: "Promise face", world },
  { face: "Effect face", world: effectWorld },
]
