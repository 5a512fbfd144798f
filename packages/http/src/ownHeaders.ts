import { checkObject, invalidOption } from "@sojourn/core/host"
import { validateHeaderName, validateHeaderValue } from "node:http"

/**
 * Headers of the application, in small letters, so that they take the place of ours. One that cannot be sent is refused
 * here, before a session's turn has been made to begin for it.
 *
 * @throws SessionMisuse `InvalidOption`, without the header's value
 */
export const ownHeaders = (given: Readonly<Record<string, string>> | undefined): Record<string, string> => {
  if (given === undefined) return {}
  checkObject("headers", given)
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(given)) {
    if (!canBeSent(name, value))
      throw invalidOption(`headers: ${JSON.stringify(name)} cannot be sent as it is.`)
    headers[name.toLowerCase()] = value
  }
  return headers
}
const canBeSent = (name: string, value: unknown): boolean => {
  if (typeof value !== "string") return false
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return true
  } catch {
    return false
  }
}
