import { checkedFunction } from "@sojourn/core/host"
import { keyOf, OwnerAsSent } from "@sojourn/http"
import type { AnyReply, AnyRequest, KeyFrom } from "./fastify.ts"

/**
 * How the key of a request is found, with the setup check that belongs to it.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const keyFinder = (
  from: KeyFrom,
): ((request: AnyRequest, reply: AnyReply) => ReturnType<typeof keyOf>) => {
  checkedFunction("owner", from.owner)
  if (from.id !== undefined) checkedFunction("id", from.id)
  const asSent = new OwnerAsSent()
  return (request, reply) => {
    const key = keyOf(from, request, reply)
    asSent.look(key.owner, () => request)
    return key
  }
}
