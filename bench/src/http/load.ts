/** So many requests, as fast as a server answers them, each answer checked. */
import autocannon, { type Options, type Request, type Result } from "autocannon"
import { expectSame, WrongResult } from "../harness.ts"
import { quantile } from "../statistics.ts"
import type { Server } from "./server.ts"
import { type Asked, requests } from "./traffic.ts"

export interface Load {
  readonly server: Server
  readonly amount: number
  readonly connections: number
  /** What an answer's body adds to the sum of all; `NaN` when it is wrong. */
  readonly value: (body: string) => number
  /** From what the server says it did. */
  readonly expected: "sum" | "turns"
}

export interface Fired {
  /** Nanoseconds from answer to answer. */
  readonly perRequest: number
  /** Nanoseconds of the server's processor time for each request. */
  readonly cpu: number
  /** Milliseconds from request to answer. */
  readonly p50: number
  readonly p99: number
}

export const fire = async (load: Load): Promise<Fired> => {
  const { server, amount, connections, value, expected } = load
  const before = await server.figures()
  let sum = 0
  let answers = 0
  let first = 0
  let last = 0
  const latencies: Array<number> = []
  let clients = 0
  const options: Options = {
    url: server.url,
    amount,
    connections,
    // How soon it notices that it is done.
    sampleInt: 20,
    requests: asRequests(requests),
    // Not all the same user at the same time.
    setupClient: (client) => {
      const start = Math.floor((clients++ * requests.length) / connections)
      client.setRequests(asRequests([...requests.slice(start), ...requests.slice(0, start)]))
    },
    verifyBody: (body) => {
      sum += value(String(body))
      return true
    },
  }
  const rest = stayAwake()
  const result = await new Promise<Result>((resolve, reject) => {
    autocannon(options, (error: unknown, done) => (error ? reject(error) : resolve(done))).on(
      "response",
      (_client, _status, _bytes, latency) => {
        last = performance.now()
        // Connecting is not what is measured.
        if (++answers > connections) latencies.push(latency)
        else first = last
      },
    )
  })
  rest()
  const after = await server.figures()
  if (result.errors > 0 || result.non2xx > 0)
    throw new WrongResult(`${server.name}: ${result.errors} errors and ${result.non2xx} refusals`)
  expectSame(`${server.name}: answers`, result["2xx"], amount)
  expectSame(`${server.name}: turns on the server`, after.turns - before.turns, amount)
  expectSame(`${server.name}: ${expected} of the answers`, sum, after[expected] - before[expected])
  return {
    perRequest: ((last - first) * 1e6) / (amount - connections),
    cpu: ((after.cpu - before.cpu) * 1000) / amount,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  }
}

/**
 * A load that sleeps has to be woken by whoever answers it: the slower server pays that more often, several microseconds
 * each time on a virtual machine, and looks slower than it is.
 */
const stayAwake = (): (() => void) => {
  let awake = true
  const turn = (): void => {
    if (awake) setImmediate(turn)
  }
  turn()
  return () => {
    awake = false
  }
}

const asRequests = (asked: ReadonlyArray<Asked>): Array<Request> =>
  asked.map(({ path, headers }) => ({ method: "GET", path, headers: { ...headers } }))
