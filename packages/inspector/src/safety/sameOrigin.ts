/** Requests that another site makes a browser send, with the cookies of who sits before it. */
type Header = (name: string) => string | undefined

/**
 * For what changes something: the browser itself says that it is the same origin, or, where it does not say, the `Origin` is
 * this host. A program that is no browser says its `Origin` as well.
 */
export const isSameOrigin = (header: Header): boolean => {
  const site = header("sec-fetch-site")
  if (site !== undefined) return site === "same-origin"
  const origin = header("origin")
  const host = header("host") ?? header(":authority")
  if (origin === undefined || host === undefined) return false
  try {
    const { host: named, protocol } = new URL(origin)
    if (protocol !== "http:" && protocol !== "https:") return false
    // A default port may be written or not.
    return named === new URL(`${protocol}//${host}`).host
  } catch {
    return false
  }
}

/** For what is read: nothing is given to another site's page, which could not read it, but could have it made. */
export const isFromElsewhere = (header: Header): boolean => {
  const site = header("sec-fetch-site")
  if (site === undefined || site === "same-origin" || site === "none") return false
  // Somebody follows a link to here.
  return !(header("sec-fetch-mode") === "navigate" && header("sec-fetch-dest") === "document")
}
