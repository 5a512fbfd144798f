import { checkedFunction } from "@sojourn/core/host"
import { keyOf, OwnerAsSent } from "@sojourn/http"
import type { AnyRequest, AnyResponse, KeyFrom } from "./express.ts"
import { checkRejections } from "./rejections.ts"

export type FindKey = (req: AnyRequest, res: AnyResponse) => ReturnType<typeof keyOf>

/**
 * How the key of a request is found, with the setup checks that belong to it.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const keyFinder = <Req, Res>(from: KeyFrom<Req, Res>): FindKey => {
  checkedFunction("owner", from.owner)
  if (from.id !== undefined) checkedFunction("id", from.id)
  const asSent = new OwnerAsSent()
  return (req, res) => {
    checkRejections(req)
    // What `from` wants of a request is what its finder's caller was asked for.
    const key = keyOf(from as KeyFrom<AnyRequest, AnyResponse>, req, res)
    asSent.look(key.owner, () => req)
    return key
  }
}
