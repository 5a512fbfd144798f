/**
 * Text of somebody else's made fit to be shown: of bounded length, on one line, with nothing in it that is invisible, moves
 * the cursor or turns the writing direction of what stands beside it. It is not an escaper: React does that.
 */

/** What is shown of a text, and whether that is all of it. */
export interface VisibleText {
  readonly text: string
  /** Length of the whole text in UTF-16 units, if only its beginning is shown. */
  readonly cutFrom: number | undefined
}

/** Emoji that people know, which hold what would be hidden elsewhere; and what cannot be seen or moves what can. */
const special = /\p{RGI_Emoji}|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gv
const hidden = /^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]$/u
/** Most texts. */
const plain = /^[\u0020-\u007e]*$/u

/** Combining marks on one letter, which would be drawn over the rows above and below. */
const piled = /(\p{M}{4})\p{M}+/gu

const named = (character: string): string => {
  if (!hidden.test(character)) return character
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20) return String.fromCodePoint(0x2400 + code)
  if (code === 0x7f) return "\u2421"
  return `[U+${code.toString(16).toUpperCase().padStart(4, "0")}]`
}

/** `most`: characters shown, 200; the rest is left out before anything else is done with it. */
export const visible = (value: string, most = 200): VisibleText => {
  const cut = value.length > most
  const beginning = cut ? value.slice(0, most) : value
  const text = plain.test(beginning)
    ? beginning
    : beginning.toWellFormed().replaceAll(special, named).replaceAll(piled, "$1")
  return { text: cut ? `${text}…` : text, cutFrom: cut ? value.length : undefined }
}
