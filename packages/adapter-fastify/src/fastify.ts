import type { KeyFrom as KeyFromOf } from "@sojourn/http"
import type { FastifyReply, FastifyRequest } from "fastify"

// Fastify types a request and its reply by their server and route; whatever these are, its session is found in the same way.
/* oxlint-disable typescript/no-explicit-any */
type AnyRoute = { Params: any; Querystring: any; Headers: any; Body: any; Reply: any }
type AnyInput = { params: any; query: any; headers: any; body: any }
export type AnyRequest = FastifyRequest<AnyRoute, any, any, any, any, any, any, AnyInput>
export type AnyReply = FastifyReply<AnyRoute, any, any, any, any, any, any>
/* oxlint-enable typescript/no-explicit-any */

/** Where the two parts of a key come from. */
export type KeyFrom = KeyFromOf<[request: AnyRequest, reply: AnyReply]>
