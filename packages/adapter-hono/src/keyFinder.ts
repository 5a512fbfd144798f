import { checkedFunction } from "@sojourn/core/host"
import { keyOf, OwnerAsSent } from "@sojourn/http"
import type { AnyContext, KeyFrom } from "./hono.ts"

/**
 * How the key of a request is found, with the setup check that belongs to it.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const keyFinder = (from: KeyFrom): ((c: AnyContext) => ReturnType<typeof keyOf>) => {
  checkedFunction("owner", from.owner)
  if (from.id !== undefined) checkedFunction("id", from.id)
  const asSent = new OwnerAsSent()
  return (c) => {
    const key = keyOf(from, c)
    asSent.look(key.owner, () => ({ headers: c.req.header(), query: c.req.query() }))
    return key
  }
}
