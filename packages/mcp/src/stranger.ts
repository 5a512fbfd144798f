import type { Refusal } from "./answers.ts"
import type { AnyRequest } from "./express.ts"
import { isHostAllowed, isLoopbackAddress, isOriginAllowed, type Allowed } from "./hosts.ts"
import { codeOf } from "./rpc.ts"

/** Who asks for another host, or from a page that may not: nobody's client. */
export const strangerRefusal = (req: AnyRequest, allowed: Allowed): Refusal | undefined => {
  const name = req.hostname
  const direct = isLoopbackAddress(req.socket.localAddress) && !trustsProxy(req)
  // The SDK makes a URL of what stands in `Host` itself.
  const wellFormed = URL.canParse(`http://${req.headers.host}`)
  const wrong = !(wellFormed && isHostAllowed(name, allowed.hosts, direct))
    ? "Host"
    : !isOriginAllowed(req.headers.origin, name, allowed.origins)
      ? "Origin"
      : undefined
  return wrong === undefined
    ? undefined
    : { status: 403, error: { code: codeOf(403), message: `Forbidden: this ${wrong} is not allowed` } }
}
/** False unless it was set; a mounted application inherits it. */
const trustsProxy = (req: AnyRequest): boolean => {
  const setting = req.app.get("trust proxy")
  return setting !== false && setting !== undefined
}
