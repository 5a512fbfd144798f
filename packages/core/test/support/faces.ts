/**
 * Both faces behind one shape, so that a law is written once and proven on each: `describe.each(faces)("$face", …)`.
 */
import { promiseFace, type Face } from "../../src/testing/laws/world.ts"
import { effectWorld } from "./effectWorld.ts"

export type { Face }

export const faces: ReadonlyArray<Face> = [promiseFace, { face: "Effect face", world: effectWorld }]
