/** Keys as text, and which command a row of them means. Pure: the listener is in `useKeys`. */

/** Of a keyboard event, what matters. */
export interface KeyPress {
  readonly key: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  readonly shiftKey: boolean
}

const names: Readonly<Record<string, string>> = { " ": "Space", Esc: "Escape" }

/**
 * `j`, `?`, `Space`, `Enter`, `Mod+k` (Ctrl, or Cmd on a Mac), `Shift+ArrowDown`. Shift is told only of keys that print
 * nothing, as `?` is where it is on each keyboard. Undefined where it is no stroke: a dead key, Alt, a modifier alone.
 */
export const strokeOf = (event: KeyPress): string | undefined => {
  const { key } = event
  if (key === "" || key === "Dead" || key === "Unidentified" || key === "Process") return undefined
  if (key === "Shift" || key === "Control" || key === "Alt" || key === "Meta" || key === "AltGraph")
    return undefined
  if (event.altKey) return undefined
  const prints = [...key].length === 1 && key !== " "
  const mod = event.ctrlKey || event.metaKey
  const name = names[key] ?? (mod && prints ? key.toLowerCase() : key)
  return `${mod ? "Mod+" : ""}${event.shiftKey && !prints ? "Shift+" : ""}${name}`
}

/** One character without Ctrl or Cmd: what somebody who speaks or types by accident might not want (WCAG 2.1.4). */
export const isSingleKey = (keys: string): boolean =>
  keys.split(" ").every((stroke) => [...stroke].length === 1 || stroke === "Space")

export interface Binding {
  readonly id: string
  /** Strokes parted by spaces: `g s`. */
  readonly keys: string
}

export type Pressed =
  | { readonly what: "nothing" }
  /** The beginning of one or more bindings. */
  | { readonly what: "more"; readonly pending: ReadonlyArray<string> }
  | { readonly what: "command"; readonly id: string }

/**
 * What one more stroke means after those that are pending. What is complete goes before what could become longer; a stroke
 * that continues nothing begins anew. Of two bindings with the same keys the later one wins.
 */
export const press = (
  bindings: ReadonlyArray<Binding>,
  pending: ReadonlyArray<string>,
  stroke: string,
): Pressed => {
  const strokes = [...pending, stroke]
  const written = strokes.join(" ")
  const complete = bindings.findLast(({ keys }) => keys === written)
  if (complete !== undefined) return { what: "command", id: complete.id }
  if (bindings.some(({ keys }) => keys.startsWith(`${written} `))) return { what: "more", pending: strokes }
  return pending.length === 0 ? { what: "nothing" } : press(bindings, [], stroke)
}

/** For people: `Mod+k` is `Ctrl K`, or `⌘ K` on a Mac. */
export const shownKeys = (keys: string, mac: boolean): ReadonlyArray<string> =>
  keys
    .split(" ")
    .flatMap((stroke) =>
      stroke
        .split(/\+(?=.)/u)
        .map((part) =>
          part === "Mod"
            ? mac
              ? "⌘"
              : "Ctrl"
            : part === "Escape"
              ? "Esc"
              : part.startsWith("Arrow")
                ? (arrows[part] ?? part)
                : part,
        ),
    )
const arrows: Readonly<Record<string, string>> = {
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
}
