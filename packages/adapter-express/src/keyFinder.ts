import { keyFinder as finderOf, type OwnedKey } from "@sojourn/http"
import type { AnyRequest, AnyResponse, KeyFrom } from "./express.ts"
import { checkRejections } from "./rejections.ts"

export type FindKey = (req: AnyRequest, res: AnyResponse) => OwnedKey

/**
 * How the key of a request is found, with the setup checks that belong to it.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const keyFinder = <Req, Res>(from: KeyFrom<Req, Res>): FindKey => {
  // What `from` wants of a request is what its finder's caller was asked for.
  const find = finderOf(from as KeyFrom<AnyRequest, AnyResponse>, (req) => req)
  return (req, res) => {
    checkRejections(req)
    return find(req, res)
  }
}
