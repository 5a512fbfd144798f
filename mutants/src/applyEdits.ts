import type { Edit } from "./Mutant.ts"

/** The edit does not fit the source it was written for. */
export class DoesNotApply extends Error {}

const occurrences = (text: string, find: string): number => text.split(find).length - 1

/** Every `find` is looked for in the text as it was, so that one edit cannot depend on another. */
export const applyEdits = (text: string, edits: ReadonlyArray<Edit>): string => {
  const places = edits.map((edit) => {
    const count = edit.find === "" ? 0 : occurrences(text, edit.find)
    if (count !== 1)
      throw new DoesNotApply(`${edit.file}: found ${count} times, and it must be once:\n${edit.find}`)
    if (edit.find === edit.replace) throw new DoesNotApply(`${edit.file}: changes nothing:\n${edit.find}`)
    return { ...edit, at: text.indexOf(edit.find) }
  })
  let applied = ""
  let from = 0
  for (const { at, file, find, replace } of places.toSorted((one, other) => one.at - other.at)) {
    if (at < from) throw new DoesNotApply(`${file}: overlaps with another edit:\n${find}`)
    applied += text.slice(from, at) + replace
    from = at + find.length
  }
  return applied + text.slice(from)
}
