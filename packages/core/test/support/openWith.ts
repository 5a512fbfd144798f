/** A registry whose `open` is the test's own, with a list of what happened and when. */
import type { CloseReason, Opening } from "../../src/Sessions.ts"
import { worldOf, type World } from "./ledger.ts"

export const openWith = (
  open: (opening: Opening, note: (line: string) => void) => unknown,
  policy: Omit<Parameters<typeof worldOf<unknown>>[0], "name" | "open"> = {},
): World<unknown> & { lines: ReadonlyArray<string> } => {
  const lines: Array<string> = []
  const w: World<unknown> = worldOf<unknown>({
    ...policy,
    name: "using",
    open: (opening) => open(opening, (line) => lines.push(`${line} at ${w.clock.now}`)),
  })
  return { ...w, lines }
}
/** Notes what is released, and why. */
export const release =
  (note: (line: string) => void) =>
  (name: string, reason: CloseReason): void =>
    note(`${name} released ${reason}`)
