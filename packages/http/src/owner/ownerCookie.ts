import { invalidOption, resolveNames } from "@sojourn/core/host"
import { stringifySetCookie, type SetCookie } from "cookie"

export type OwnerCookie = Partial<
  Pick<SetCookie, "domain" | "path" | "httpOnly" | "secure" | "sameSite" | "partitioned" | "priority">
>
/** `secure` undefined: when the request is. */
export type ResolvedCookie = Omit<OwnerCookie, "secure"> & { readonly secure: boolean | undefined }

/** @throws SessionMisuse `InvalidOption`: what no `Set-Cookie` can say, or no browser would keep. */
export const resolveCookie = (given: OwnerCookie = {}): ResolvedCookie => {
  resolveNames(given, ["domain", "path", "httpOnly", "secure", "sameSite", "partitioned", "priority"])
  for (const name of ["httpOnly", "secure", "partitioned"] as const)
    if (given[name] !== undefined && typeof given[name] !== "boolean")
      throw invalidOption(`cookie.${name}: true or false is allowed.`)
  // Browsers keep these only with Secure.
  const needsSecure = given.sameSite === "none" || given.partitioned === true
  if (needsSecure && given.secure === false)
    throw invalidOption('cookie.secure: with sameSite "none" or partitioned it must be true.')
  const cookie: ResolvedCookie = {
    ...given,
    // Given as undefined they are left out as well.
    httpOnly: given.httpOnly ?? true,
    sameSite: given.sameSite ?? "lax",
    path: given.path ?? "/",
    secure: given.secure ?? (needsSecure ? true : undefined),
  }
  try {
    setCookie(cookie, "name", "value", 0, true)
  } catch (error) {
    throw invalidOption(`cookie: ${error instanceof Error ? error.message : "it cannot be written"}.`)
  }
  return cookie
}

/** The text of a `Set-Cookie` header; `maxAge` in whole seconds. */
export const setCookie = (
  cookie: ResolvedCookie,
  name: string,
  value: string,
  maxAge: number,
  secure: boolean,
): string => stringifySetCookie({ ...cookie, secure, name, value, maxAge })

/** More of one name than a browser sends that nobody has meddled with. */
const mostValues = 8

/** What the `Cookie` header has of that name, in the browser's order, as it stands there: ours need no decoding. */
export const cookieValues = (header: string, name: string): ReadonlyArray<string> =>
  header
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
    .slice(0, mostValues)
