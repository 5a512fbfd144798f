import { isSessionError, type Options } from "@sojourn/core"
import { checkedFunction, invalidOption, resolveNames } from "@sojourn/core/host"
import {
  checkMadeInHandler,
  clientGone,
  hasLeft,
  isClientGone,
  keyOf,
  OwnerAsSent,
  type ProblemReport,
} from "@sojourn/http"
import type { Response } from "express"
import { randomUUID } from "node:crypto"
import type { ServerResponse } from "node:http"
import { refuse, tell } from "./answers.ts"
import { askOf, isJson, type Wanted } from "./ask.ts"
import type { Connection } from "./Connection.ts"
import { insideOf, type Inside, type McpSessions } from "./createMcpSessions.ts"
import { checkedAllowed, type Allowed } from "./hosts.ts"
import { nameOf } from "./names.ts"
import type { AnyRequest, McpHandler, RoutedRequest } from "./express.ts"
import { serve } from "./serve.ts"
import { strangerRefusal } from "./stranger.ts"

export type McpHandlerOptions<Req = RoutedRequest, Res = Response> = {
  /**
   * The verified subject who asks, from your login; undefined: 401. The user, not the client: where many users have the
   * same client, `req.auth.clientId` is the same for all of them.
   */
  readonly owner: (req: Req, res: Res) => string | undefined
} & Options<{
  /**
   * Names, without ports, that a `Host` may have; "any". Left out: any, but for requests that come over the loopback
   * interface and through no proxy that the application trusts; they have to name it so (`localhost`, `127.0.0.1`, `[::1]`).
   */
  readonly allowedHosts: ReadonlyArray<string> | "any"
  /**
   * Pages of which others' hosts may ask: origins such as `https://app.example.com`; "any". Their own host's may always;
   * on the loopback interface, so may those of this machine. CORS headers are yours to send.
   */
  readonly allowedOrigins: ReadonlyArray<string> | "any"
  /**
   * When a client leaves before its requests are answered: cancel them, or let them go on. "cancel", as nobody can fetch
   * the answers any more; with an event store "continue".
   */
  readonly onDisconnect: "cancel" | "continue"
  /** Told of each error of ours that became an answer; without its key. What it throws is ignored. */
  readonly report: (report: ProblemReport) => void
}>

/**
 * The MCP endpoint: `app.all("/mcp", requireBearer, mcpHandler(servers, { owner }))`, behind `express.json()`, whose
 * limits count, and behind your login. Under Express 4 and 5 alike it answers by itself, in JSON-RPC: 404 for an id that
 * was never issued, is over, or is another owner's; 400, 403, 405, 406, 415 as the SDK does; 429 and 503 with
 * `Retry-After` where a time is known. Only what is not ours goes to the error handlers.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const mcpHandler = <S, Req extends AnyRequest = RoutedRequest, Res extends ServerResponse = Response>(
  servers: McpSessions<S>,
  options: McpHandlerOptions<Req, Res>,
): McpHandler<Req, Res> => {
  resolveNames(options, ["owner", "allowedHosts", "allowedOrigins", "onDisconnect", "report"])
  checkedFunction("owner", options.owner)
  if (options.report !== undefined) checkedFunction("report", options.report)
  checkedDisconnect(options.onDisconnect)
  checkMadeInHandler(servers)
  const endpoint = new Endpoint(insideOf(servers), options as AnyOptions)
  return (req: AnyRequest, res: ServerResponse, next: (error?: unknown) => void) => {
    endpoint.answer(req, res).catch((error: unknown) => endpoint.failed(error, res, next))
  }
}

/** What `owner` asks for, the types of the handler have asked for. */
type AnyOptions = McpHandlerOptions<AnyRequest, ServerResponse>

class Endpoint {
  readonly #inside: Inside
  readonly #options: AnyOptions
  readonly #allowed: Allowed
  readonly #continues: boolean
  readonly #asSent = new OwnerAsSent()
  constructor(inside: Inside, options: AnyOptions) {
    this.#inside = inside
    this.#options = options
    this.#allowed = checkedAllowed(options.allowedHosts, options.allowedOrigins)
    this.#continues = (options.onDisconnect ?? (inside.resumable ? "continue" : "cancel")) === "continue"
  }

  async answer(req: AnyRequest, res: ServerResponse): Promise<void> {
    const stranger = strangerRefusal(req, this.#allowed)
    if (stranger !== undefined) return refuse(res, stranger)
    // Who is not let in is told nothing of what else would be wrong with the request.
    const { owner } = keyOf({ owner: this.#options.owner }, req, res)
    this.#asSent.look(owner, () => req)
    checkParsed(req)
    const ask = askOf({ method: req.method ?? "", headers: req.headers, body: req.body })
    if (ask.to === "refuse") return refuse(res, ask.refusal)
    const id = ask.to === "initialize" ? randomUUID() : ask.id
    const straggler = this.#straggler(ask, owner, id)
    if (straggler !== undefined) return straggler.handle(req, res, req.body)
    await this.#inside.sessions.run(
      keyOf({ owner: () => owner, id: () => id }),
      ({ connection }, task) => serve(ask, connection, task, req, res),
      {
        name: nameOf(ask),
        mustExist: ask.to !== "initialize",
        signal: ask.to === "call" && this.#continues ? undefined : clientGone(res),
        silence: ask.to === "listen" ? "Infinity" : undefined,
      },
    )
  }

  /** While sessions drain, what only answers or ends running work still gets through: the work would wait for it in vain. */
  #straggler(ask: Wanted, owner: string, id: string): Connection | undefined {
    const { live, sessions } = this.#inside
    if (!sessions.draining.aborted || (ask.to !== "tell" && ask.to !== "end")) return undefined
    const connection = live.get(id)?.connection
    return connection?.owner === owner ? connection : undefined
  }

  failed(error: unknown, res: ServerResponse, next: (error: unknown) => void): void {
    if (!isSessionError(error)) {
      if (!isClientGone(res, error)) next(error)
      return
    }
    if (hasLeft(res)) return
    if (res.headersSent) {
      // What was abandoned may never end its answer.
      if (!res.writableEnded) res.destroy()
      return
    }
    tell(res, error, this.#options.report)
  }
}

const checkParsed = ({ method, headers, body }: AnyRequest): void => {
  const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0
  if (method === "POST" && hasBody && body === undefined && isJson(headers))
    throw new Error("mcpHandler needs the parsed body: put express.json() before it.")
}

const checkedDisconnect = (given: McpHandlerOptions["onDisconnect"]): void => {
  if (given !== undefined && given !== "cancel" && given !== "continue")
    throw invalidOption(`onDisconnect: "cancel" or "continue" is allowed, got ${JSON.stringify(given)}.`)
}
