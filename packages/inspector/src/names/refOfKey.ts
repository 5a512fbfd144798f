import type { SessionRef } from "@sojourn/core"

/** A session by its canonical key alone, as far as that tells: of tasks that have ended nothing else is known. */
export const refOfKey = (name: string, key: string): SessionRef => {
  const [first = "", ...rest] = key.split("~")
  const owner = rest.length === 0 ? undefined : decoded(first)
  const id = rest.length === 0 || rest[0] === "" ? decoded(first) : decoded(rest.join("~"))
  return { name, key, id, owner, generation: 0, serial: 0 }
}
const decoded = (part: string): string =>
  part.replaceAll(
    /=u([0-9a-f]{4})|=([0-9a-f]{2})/g,
    (_, unit: string | undefined, ascii: string | undefined) =>
      String.fromCharCode(Number.parseInt(unit ?? ascii ?? "0", 16)),
  )
