/** A `fetch` whose sockets can be destroyed, as those of a process that is killed or a machine that is switched off. */
import { Agent, request } from "node:http"
import { Readable } from "node:stream"

export const vanishing = () => {
  const agent = new Agent({ keepAlive: true })
  let gone = false
  const own = (url: string | URL, init: RequestInit = {}): Promise<Response> =>
    new Promise((resolve, reject) => {
      if (gone) return reject(new Error("It has vanished."))
      const headers = Object.fromEntries(new Headers(init.headers))
      const sent = request(url, { method: init.method ?? "GET", headers, agent }, (answer) => {
        const body = Readable.toWeb(answer) as unknown as ReadableStream<Uint8Array>
        const status = answer.statusCode ?? 0
        resolve(
          new Response(status === 202 ? null : body, {
            status,
            headers: Object.entries(answer.headers).map(([name, value]) => [name, String(value)]),
          }),
        )
        if (status === 202) answer.resume()
      })
      sent.on("error", reject)
      sent.end(typeof init.body === "string" ? init.body : undefined)
    })
  const vanish = (): void => {
    gone = true
    for (const sockets of [...Object.values(agent.sockets), ...Object.values(agent.freeSockets)])
      for (const socket of sockets ?? []) socket.resetAndDestroy()
  }
  return { fetch: own, vanish }
}
