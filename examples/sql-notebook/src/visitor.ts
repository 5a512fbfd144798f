/** A visitor over HTTP: keeps the cookie it was given, sends queries, and takes the time. */
import type { Answer } from "./runSql.ts"

export interface Visit {
  readonly status: number
  readonly body: Partial<
    Answer & {
      readonly generation: number
      /** Of a problem: what is wrong, for people; of ours also which, for programs. */
      readonly title: string
      readonly sql: { readonly code?: string; readonly position?: string }
      readonly error: { readonly reason: string }
    }
  >
  /** Milliseconds, from the question to the whole answer. */
  readonly took: number
}

export interface Look {
  readonly state: string
  readonly generation: number
  readonly explanation: string
}

export class Visitor {
  readonly #url: string
  #cookie: string | undefined
  constructor(url: string, cookie?: string) {
    this.#url = url
    this.#cookie = cookie
  }
  /** Looks at the session, which opens nothing; from then on the visitor has a cookie. */
  async look(): Promise<Look> {
    return (await (await this.#ask("GET", "/session")).json()) as Look
  }
  async query(sql: string, signal?: AbortSignal): Promise<Visit> {
    const began = performance.now()
    const response = await this.ask(sql, signal)
    return {
      status: response.status,
      body: (await response.json()) as Visit["body"],
      took: performance.now() - began,
    }
  }
  ask(sql: string, signal?: AbortSignal): Promise<Response> {
    return this.#ask("POST", "/query", JSON.stringify({ sql }), signal)
  }
  /** The whole result of a query, to be read as slowly as one likes. */
  download(sql: string, signal?: AbortSignal): Promise<Response> {
    return this.#ask("POST", "/query.csv", JSON.stringify({ sql }), signal)
  }
  async #ask(
    method: string,
    path: string,
    body: string | null = null,
    signal: AbortSignal | null = null,
  ): Promise<Response> {
    const cookie = this.#cookie === undefined ? {} : { cookie: this.#cookie }
    const headers = { "content-type": "application/json", ...cookie }
    const response = await fetch(this.#url + path, { method, headers, body, signal })
    this.#cookie = response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? this.#cookie
    return response
  }
}
