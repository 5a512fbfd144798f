/** Who asks for what: the same requests to every server. */

const users: ReadonlyArray<string> = Array.from({ length: 100 }, (_, i) => `user-${i}`)

/** What a login would have handed out; no user's name, as a token is none. */
const tokenOf = (user: string): string => `token-of-${user}`

export const verified: ReadonlyMap<string, string> = new Map(
  users.map((user) => [`Bearer ${tokenOf(user)}`, user]),
)

export interface Asked {
  readonly path: string
  readonly headers: { readonly authorization: string }
}

/** One request for each user, to a thing of that user's own. */
export const requests: ReadonlyArray<Asked> = users.map((user, i) => ({
  path: `/pads/pad-${i}`,
  headers: { authorization: `Bearer ${tokenOf(user)}` },
}))
