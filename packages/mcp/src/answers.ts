/** What the endpoint says in a server's place: JSON-RPC errors over HTTP. */
import { isSessionError, SessionRefused, type Task } from "@sojourn/core"
import { problemAnswer, problemOf, type ProblemReport } from "@sojourn/http"
import type { ServerResponse } from "node:http"
import { codeOf, refusalBody, requestCancelled, type RpcError } from "./rpc.ts"

/** An answer that needs no session. */
export interface Refusal {
  readonly status: number
  readonly error: RpcError
  readonly headers?: Readonly<Record<string, string>>
}

export const refuse = (res: ServerResponse, { status, error, headers }: Refusal): void =>
  void res
    .writeHead(status, { "content-type": "application/json", "cache-control": "no-store", ...headers })
    .end(JSON.stringify(refusalBody(error)))

type OurError = Parameters<typeof problemOf>[0]

/** Whose session was closed under a request has to introduce itself again, as who comes later. */
const statuses = { Closed: 404 }

export const tell = (
  res: ServerResponse,
  error: OurError,
  report: ((report: ProblemReport) => void) | undefined,
): void => {
  const body = (): object => refusalBody(rpcErrorOf(error))
  const answer = problemAnswer(error, { statuses, report, body })
  res.writeHead(answer.status, answer.headers).end(answer.body)
}

const rpcErrorOf = (error: OurError): RpcError => {
  const { status, title, error: data } = problemOf(error, { statuses })
  return { code: codeOf(status), message: status === 404 ? "Session not found" : title, data }
}

/** For the requests of a turn that is told to stop. */
export const stopErrorOf = (reason: unknown): RpcError =>
  isSessionError(reason) ? rpcErrorOf(reason) : requestCancelled

export const sessionGone = (task: Task): SessionRefused =>
  new SessionRefused({ reason: "NotFound", session: task.session })
