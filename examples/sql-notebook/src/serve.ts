import type { Express } from "express"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"

/** Serves on loopback only: whoever can reach it can run SQL. Port 0: a free one. */
export const serve = async (
  app: Express,
  port = 0,
): Promise<{ readonly server: Server; readonly url: string }> => {
  const server = createServer(app)
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve)
  })
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}
