/** Express 4 and 5, as far as they are used here. The types of the one do not fit those of the other. */
import type { AuthInfo } from "@modelcontextprotocol/sdk/server/auth/types.js"
import type { Request, Response } from "express"
import type { IncomingMessage, ServerResponse } from "node:http"

/** A request of either version. */
export interface AnyRequest extends IncomingMessage {
  readonly app: { readonly get: (setting: string) => unknown }
  /** Undefined without a `Host`, whatever the types say. */
  readonly hostname: string | undefined
  readonly query: unknown
  readonly body?: unknown
  /** What the SDK's own middleware has verified. */
  readonly auth?: AuthInfo
}

/** Express types a request by its route; whatever the route, who asks is found in the same way. */
// oxlint-disable-next-line typescript/no-explicit-any
export type RoutedRequest = Request<any, any, any, any, any>

/** What an endpoint whose `owner` asks for `Wanted` may be called with: either version, unless it wants more than the installed one has. */
type RequestFor<Wanted> = RoutedRequest extends Wanted ? AnyRequest : Wanted
type ResponseFor<Wanted> = Response extends Wanted ? ServerResponse : Wanted

/** As `app.all` takes it. */
export type McpHandler<Req, Res> = (
  req: RequestFor<Req>,
  res: ResponseFor<Res>,
  next: (error?: unknown) => void,
) => void
