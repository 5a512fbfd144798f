import { checkedFunction } from "@sojourn/core/host"
import { keyOf, type KeyFrom, type OwnedKey } from "./keyFrom.ts"
import { OwnerAsSent, type AsSent } from "./setup/ownerAsSent.ts"

/**
 * How the key of a request is found, with the setup check that belongs to it. `asSent`: the request as its client wrote it.
 *
 * @throws SessionMisuse `InvalidOption`; from a request `InvalidKey`, as `keyOf` does.
 */
export const keyFinder = <Args extends ReadonlyArray<unknown>>(
  from: KeyFrom<Args>,
  asSent: (...args: Args) => AsSent,
): ((...args: Args) => OwnedKey) => {
  checkedFunction("owner", from.owner)
  if (from.id !== undefined) checkedFunction("id", from.id)
  const check = new OwnerAsSent()
  return (...args) => {
    const key = keyOf(from, ...args)
    if (!check.isOver) check.look(key.owner, () => asSent(...args))
    return key
  }
}
