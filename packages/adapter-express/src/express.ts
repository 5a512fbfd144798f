/** Express 4 and 5, as far as they are used here. The types of the one do not fit those of the other. */
import type { KeyFrom as KeyFromOf } from "@sojourn/http"
import type { Request, Response } from "express"
import type { IncomingMessage, ServerResponse } from "node:http"

/** A request of either version. */
export interface AnyRequest extends IncomingMessage {
  readonly app: { readonly get: (setting: string) => unknown }
  readonly get: (header: string) => string | undefined
  readonly ip?: string | undefined
  readonly query: unknown
  readonly secure: boolean
}

/** A response of either version. */
export interface AnyResponse extends ServerResponse {
  readonly vary: (header: string) => unknown
}

/** Express types a request by its route; whatever the route, its session is found in the same way. */
// oxlint-disable-next-line typescript/no-explicit-any
export type RoutedRequest = Request<any, any, any, any, any>

/**
 * Where the two parts of a key come from. `req` is a request of the Express that is installed, unless the functions ask
 * for more, such as one that a login has been added to: then only such a request has a session.
 */
export type KeyFrom<Req = RoutedRequest, Res = Response> = KeyFromOf<[req: Req, res: Res]>

/** What a function that `KeyFrom` asks for `Wanted` may be called with: either version, unless it wants more than the installed one has. */
export type RequestFor<Wanted> = RoutedRequest extends Wanted ? AnyRequest : Wanted
export type ResponseFor<Wanted> = Response extends Wanted ? AnyResponse : Wanted
