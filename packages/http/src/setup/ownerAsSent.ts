import { foundInSetup, isSetupCheckOn } from "@sojourn/core/host"

/** Of each way to find a session so many requests are looked at, each of another owner than the one before. */
const looks = 20

/** Where a client can write what it likes. Header names as Node has them: in small letters. */
export interface AsSent {
  readonly headers: Readonly<Record<string, unknown>>
  readonly query: unknown
}

/**
 * Does the owner stand in the request as the client sent it? Once may be chance: the user "1" and the header "dnt". So it
 * is told when two owners, one after the other, stand in the same place.
 */
export class OwnerAsSent {
  #left = looks
  #last: string | undefined
  #places: ReadonlyArray<string> = []

  /** Once enough have been looked at, no more. */
  get isOver(): boolean {
    return this.#left === 0
  }
  look(owner: string, request: () => AsSent): void {
    if (owner === this.#last || this.isOver || !isSetupCheckOn("SOJOURN_OWNER_FROM_HEADER")) return
    const { headers, query } = request()
    const places = [...placesIn("header", headers, owner), ...placesIn("parameter", query, owner)]
    const found = places.find((place) => this.#places.includes(place))
    this.#left = found === undefined ? this.#left - 1 : 0
    this.#last = owner
    this.#places = places
    if (found === undefined) return
    // Names are the client's words as well, and not told.
    const where = found.startsWith("header") ? "one of its headers" : "a parameter of its URL"
    foundInSetup("SOJOURN_OWNER_FROM_HEADER", `The owner of a request's session is the text of ${where}.`)
  }
}

const placesIn = (kind: string, values: unknown, owner: string): ReadonlyArray<string> =>
  typeof values === "object" && values !== null
    ? Object.entries(values)
        .filter(([, value]) => value === owner)
        .map(([name]) => `${kind} ${name}`)
    : []
