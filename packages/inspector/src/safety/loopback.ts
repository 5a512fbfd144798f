/**
 * Is a request one of this machine? The socket alone does not say so: a page in a browser of this machine may have been sent
 * here by a name that somebody else's server resolves to 127.0.0.1, and a proxy on this machine passes on what comes from
 * anywhere.
 */
export interface Seen {
  /** The other end of the socket; undefined where that is not known. */
  readonly address: string | undefined
  readonly header: (name: string) => string | undefined
}

/** Whatever a proxy says of those it speaks for, it says that there is one. */
const proxied = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-forwarded-port",
  "x-forwarded-prefix",
  "x-forwarded-server",
  "x-forwarded-by",
  "x-real-ip",
  "x-client-ip",
  "x-original-host",
  "x-envoy-external-address",
  "cf-connecting-ip",
  "true-client-ip",
  "fly-client-ip",
]

export const isLoopback = ({ address, header }: Seen): boolean =>
  isLoopbackAddress(address) &&
  isLoopbackHost(header("host") ?? header(":authority")) &&
  proxied.every((name) => header(name) === undefined)

export const isLoopbackAddress = (address: string | undefined): boolean =>
  address !== undefined &&
  (address === "::1" || /^(?:::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i.test(address))

/** With or without a port. Names below `localhost` are left out: not every resolver keeps them at home. */
export const isLoopbackHost = (host: string | undefined): boolean =>
  host !== undefined &&
  /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]|\[0:0:0:0:0:0:0:1\])(?::\d{1,5})?$/i.test(host)
