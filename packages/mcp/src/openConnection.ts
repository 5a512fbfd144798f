import type { StreamableHTTPServerTransportOptions } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import type { Opening } from "@sojourn/core"
import { Connection } from "./Connection.ts"

/** The SDK's `McpServer`, its `Server`, or your own over its `Protocol`. */
export interface AnyMcpServer {
  readonly connect: (transport: Transport) => Promise<void>
  readonly close: () => Promise<void>
}

export interface OpenOptions<S> {
  readonly server: (session: Opening) => S | PromiseLike<S>
  readonly transport: (session: Opening) => StreamableHTTPServerTransportOptions
  /** Milliseconds. */
  readonly ping: number
}

export interface Opened<S> {
  readonly server: S
  readonly connection: Connection
}

/** A session's `open`. `onOpen` and its result, called when it closes, keep count of what is live. */
export const openConnection = <S extends AnyMcpServer>(
  options: OpenOptions<S>,
  onOpen: (session: Opening, opened: Opened<S>) => () => void,
): ((session: Opening) => Promise<Opened<S>>) => {
  const connected = new WeakSet<S>()
  const make = async (session: Opening): Promise<S> => {
    const server = await options.server(session)
    // Releasing it here would close it under the client that has it.
    if (connected.has(server)) throw new Error("`server` has to make a new MCP server for each session.")
    connected.add(server)
    return server
  }
  return async (session) => {
    const server = await session.use(make(session), (made) => made.close())
    const connection = new Connection({
      id: session.id,
      owner: session.owner,
      transport: options.transport(session),
      ping: options.ping,
      onEnd: session.end,
    })
    await server.connect(connection)
    const opened = { server, connection }
    session.onClose(onOpen(session, opened))
    return opened
  }
}
