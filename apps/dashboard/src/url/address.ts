/** The address of a view: `/sessions/chat/0123?sort=-queued`, as it stands after the `#`. */
import { longestAddress } from "./params.ts"

export interface Address {
  /** Parts of the path, decoded: `["sessions", "chat", "0123"]`. */
  readonly path: ReadonlyArray<string>
  /** Without `?`. */
  readonly search: string
}

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** Never fails: an address may be typed by hand. */
export const readAddress = (hash: string): Address => {
  const all = hash.replace(/^#/u, "").slice(0, longestAddress)
  const mark = all.indexOf("?")
  const path = mark < 0 ? all : all.slice(0, mark)
  return {
    path: path
      .split("/")
      .filter((part) => part !== "")
      .map(decode),
    search: mark < 0 ? "" : all.slice(mark + 1),
  }
}

/** Parts may hold anything, slashes and percent signs too. */
export const writeAddress = ({ path, search }: Address): string =>
  `#/${path.map((part) => encodeURIComponent(part.toWellFormed())).join("/")}${search === "" ? "" : `?${search}`}`

/** A path with named parts, `["sessions", ":kind", ":hash"]`, against an address; undefined where it does not fit. */
export const matchPath = (
  pattern: ReadonlyArray<string>,
  path: ReadonlyArray<string>,
): Readonly<Record<string, string>> | undefined => {
  if (pattern.length !== path.length) return undefined
  const found: Record<string, string> = {}
  for (const [index, part] of pattern.entries()) {
    const given = path[index] ?? ""
    if (part.startsWith(":")) found[part.slice(1)] = given
    else if (part !== given) return undefined
  }
  return found
}
