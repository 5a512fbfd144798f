/**
 * The folder of one key holds at most one state that counts, and at any moment any number of files that do not:
 *
 *     <version>.state   a whole state, or one that is being written
 *     <version>.head    empty: this version is the stored one
 *     <version>.none    empty, instead of a head: nothing is stored
 *
 * Putting a new version in place is one rename: `<old>.head` to `<new>.head`. It is atomic, and of all who read the old
 * version it succeeds for one, because afterwards there is no `<old>.head`. That is the whole compare-and-set, with no lock
 * that a dead process could leave behind. Versions are random, so a head that is gone never comes back.
 */

export const stateFile = (version: string): string => `${version}.state`
export const headFile = (version: string): string => `${version}.head`
export const isHead = (file: string): boolean => file.endsWith(".head")
export const noneFile = (version: string): string => `${version}.none`

/** What a list of the folder's files says. `from`: the file whose rename puts the next version in place of this one. */
export interface Listing {
  /**
   * `"damaged"`: no head, more than one, or one without its state. A list is not made in one moment, so a head that is
   * renamed meanwhile may be in it twice or not at all: another look is needed. If it stays so, somebody else has altered
   * the folder.
   */
  readonly kind: "nothing" | "stored" | "damaged"
  readonly version: string | undefined
  readonly from: string | undefined
}

export const readListing = (files: ReadonlyArray<string>): Listing => {
  const heads = versions(files, ".head")
  const whole = heads.filter((version) => files.includes(stateFile(version)))
  const [marker, ...otherMarkers] = versions(files, ".none")
  if (marker === undefined && whole.length === 1) return headed("stored", whole)
  if (whole.length === 0 && otherMarkers.length === 0) {
    if (marker !== undefined) return { kind: "nothing", version: undefined, from: noneFile(marker) }
    if (files.length === 0) return { kind: "nothing", version: undefined, from: undefined }
    if (heads.length === 1) return headed("damaged", heads)
  }
  return { kind: "damaged", version: "damaged", from: undefined }
}

const headed = (kind: "stored" | "damaged", [version = ""]: ReadonlyArray<string>): Listing => ({
  kind,
  version,
  from: headFile(version),
})
const versions = (files: ReadonlyArray<string>, end: string): ReadonlyArray<string> =>
  files.flatMap((file) => (file.endsWith(end) ? [file.slice(0, -end.length)] : []))
