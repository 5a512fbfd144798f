import type { EventStore } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import {
  createSessions,
  type AnySessions,
  type Opening,
  type Options,
  type Policy,
  type RunOptions,
  type RunTask,
  type SessionKey,
  type Sessions,
  type Time,
} from "@sojourn/core"
import { checkedFunction, invalidOption, milliseconds, resolveNames } from "@sojourn/core/host"
import { openConnection, type AnyMcpServer, type Opened } from "./openConnection.ts"

export type McpPolicy = Pick<
  Policy,
  "idleTimeout" | "maxHeap" | "maxLeaked" | "maxPerOwner" | "maxSessions" | "timeouts"
>

/**
 * Of the policy, what a session of MCP can use; defaults that differ: `idleTimeout` 30 minutes, `maxPerOwner` 20,
 * `timeouts.silence` "Infinity" (a tool call may rightly say nothing; with a limit, progress is what it sends its client).
 */
export interface McpSessionsOptions<S extends AnyMcpServer> extends McpPolicy {
  /** In metrics, events and the dashboard, as in `createSessions`. */
  readonly name: string
  /**
   * Makes a new server, not yet connected, for a client that introduces itself. What else its tools need for as long as
   * the client is there is acquired with `session.use`. It gets the session, never a request: what a request proves is in
   * each tool's `extra.authInfo`.
   */
  readonly server: (session: Opening) => S | PromiseLike<S>
  /**
   * Keeps what a client has missed, so that it can be sent again. A store of its own for each session: the SDK's stores
   * do not tell sessions apart. None: what a lost connection has not delivered is gone.
   */
  readonly eventStore?: ((session: Opening) => EventStore) | undefined
  /** Answers in plain JSON where nothing has to be streamed. false. */
  readonly enableJsonResponse?: boolean | undefined
  /** A comment on each open stream this often, for the proxies on its way. 15 seconds; 1 ms; "Infinity": none. */
  readonly keepAlive?: Time | undefined
  /**
   * A client with a standing GET that says nothing is asked by a `ping` after this long, two times this long at most, and
   * taken for gone when it says nothing for as long again. 30 seconds; 1 second; "Infinity": never.
   */
  readonly ping?: Time | undefined
  /** With an event store: how long a client waits before it asks for the rest of a stream. The client's own; 0. */
  readonly retry?: Time | undefined
}

export type McpRunOptions = Omit<RunOptions, "mustExist">

/** The servers of the clients that are there. */
export interface McpSessions<S> extends AnySessions {
  /**
   * Reaches a client's server from outside its requests: `servers.run(session, (server) => server.sendToolListChanged())`,
   * where `session` is a key or one of `snapshot().sessions`. Beside whatever runs there; it never opens.
   * Rejects with SessionRefused `NotFound` when that client is not there.
   */
  readonly run: <A>(key: SessionKey, task: RunTask<S, A>, options?: McpRunOptions) => Promise<A>
}

/** What `mcpHandler` needs of them. */
export interface Inside {
  readonly sessions: Sessions<Opened<AnyMcpServer>>
  /** They have an event store. */
  readonly resumable: boolean
  /** By session id. */
  readonly live: ReadonlyMap<string, Opened<AnyMcpServer>>
}
const insides = new WeakMap<object, Inside>()

export const insideOf = (servers: object): Inside => {
  const inside = insides.get(servers)
  if (inside === undefined) throw invalidOption("servers: what createMcpSessions gives is needed here.")
  return inside
}

const policyNames = ["idleTimeout", "maxHeap", "maxLeaked", "maxPerOwner", "maxSessions", "timeouts"] as const
const ownNames = ["name", "server", "eventStore", "enableJsonResponse", "keepAlive", "ping", "retry"] as const

/**
 * One MCP server for each client that speaks Streamable HTTP: opened when it introduces itself, closed when it says
 * DELETE, when it has said nothing for `idleTimeout` and keeps no connection, or when the process drains. Mount it with
 * `mcpHandler`. Create it once, at module level; it opens nothing yet.
 *
 * It is for the protocol's revisions with sessions, 2025-03-26 to 2025-11-25. A session is in this process: several need
 * a balancer that sends an `Mcp-Session-Id` to where it was issued.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const createMcpSessions = <S extends AnyMcpServer>(options: McpSessionsOptions<S>): McpSessions<S> => {
  resolveNames(options, [...ownNames, ...policyNames])
  const { name, server, eventStore, enableJsonResponse, keepAlive, ping, retry, ...policy } = options
  checkedFunction("server", server)
  if (eventStore !== undefined) checkedFunction("eventStore", eventStore)
  if (enableJsonResponse !== undefined && typeof enableJsonResponse !== "boolean")
    throw invalidOption("enableJsonResponse: true or false is allowed.")
  const comments = milliseconds("keepAlive", keepAlive, 15_000, 1)
  const retryAfter = retry === undefined ? undefined : milliseconds("retry", retry, 0)
  const pingAfter = milliseconds("ping", ping, 30_000, 1000)
  const live = new Map<string, Opened<S>>()
  const sessions = createSessions({
    ...usual,
    ...given(policy),
    name,
    timeouts: { silence: "Infinity", ...given(policy.timeouts ?? {}) },
    whenBusy: "overlap",
    restart: false,
    open: openConnection<S>(
      {
        server,
        transport: (session) => ({
          keepAliveMs: comments === Infinity ? 0 : comments,
          ...(enableJsonResponse === undefined ? {} : { enableJsonResponse }),
          ...(eventStore === undefined ? {} : { eventStore: eventStore(session) }),
          ...(retryAfter === undefined ? {} : { retryInterval: retryAfter }),
        }),
        ping: pingAfter,
      },
      ({ id }, opened) => {
        live.set(id, opened)
        return () => live.get(id) === opened && live.delete(id)
      },
    ),
  })
  // A standing GET would be waited for like a tool call that may still finish. It never does.
  sessions.draining.addEventListener("abort", () => {
    for (const { connection } of live.values()) connection.endListening()
  })
  const servers: McpSessions<S> = {
    name: sessions.name,
    draining: sessions.draining,
    cancel: sessions.cancel,
    close: sessions.close,
    restart: sessions.restart,
    drain: sessions.drain,
    explain: sessions.explain,
    snapshot: sessions.snapshot,
    subscribe: sessions.subscribe,
    [Symbol.asyncDispose]: sessions[Symbol.asyncDispose],
    run: (key, task, runOptions) =>
      sessions.run(key, (opened, own) => task(opened.server, own), {
        name: task.name || "run",
        ...runOptions,
        mustExist: true,
      }),
  }
  insides.set(servers, {
    sessions,
    live,
    resumable: eventStore !== undefined,
  })
  return servers
}

const usual = { idleTimeout: "30 minutes", maxPerOwner: 20 } as const
/** An option that is `undefined` is left out. */
const given = <T extends object>(options: Options<T>): Partial<T> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>
