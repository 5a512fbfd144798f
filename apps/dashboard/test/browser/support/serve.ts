/** A folder under a path of an Express host, under helmet's defaults or stricter. */
import type { AddressInfo } from "node:net"
import express from "express"
import helmet from "helmet"

const mount = "/ops/_sojourn"

/** Nothing but what lies in the folder itself, and no style but from there either. */
const strict = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    workerSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
    requireTrustedTypesFor: ["'script'"],
  },
})

export interface Served extends AsyncDisposable {
  /** With a slash at the end. */
  readonly url: string
}

export const serve = async (
  folder: string,
  { csp = "helmet" }: { csp?: "helmet" | "strict" } = {},
): Promise<Served> => {
  const app = express()
  app.use(helmet())
  if (csp === "strict") app.use(strict)
  app.use(mount, express.static(folder))
  const server = app.listen(0, "127.0.0.1")
  await new Promise((resolve, reject) => server.once("listening", resolve).once("error", reject))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${mount}/`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
