/** FNV-1a over the text's units, twice with different beginnings: it tells apart what changed, and hides nothing. */
export const etagOf = (text: string): string => {
  let a = 0x811c9dc5
  let b = 0x01000193
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    a = Math.imul(a ^ unit, 0x01000193)
    b = Math.imul(b ^ unit, 0x85ebca6b)
  }
  // Weak: who compresses it on the way sends other bytes.
  return `W/"${(a >>> 0).toString(36)}${(b >>> 0).toString(36)}${text.length.toString(36)}"`
}

const bare = (tag: string): string => tag.trim().replace(/^W\//, "")
/** As `If-None-Match` has it: a list, or anything at all. */
export const matches = (ifNoneMatch: string | undefined, etag: string): boolean => {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.trim() === "*" || ifNoneMatch.split(",").some((tag) => bare(tag) === bare(etag))
}
