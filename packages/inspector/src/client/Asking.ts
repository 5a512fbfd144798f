/** Questions and answers over `fetch`. */
import type { Problem } from "../protocol/about.ts"
import { paths } from "../protocol/paths.ts"
import { protocolVersion } from "../protocol/version.ts"
import { problemTitles } from "../protocol/words.ts"
import { InspectorError } from "./InspectorError.ts"

export type Fetch = (input: string, init: RequestInit) => Promise<Response>
/** Values of a query; a list is given several times. */
export type Query = Readonly<Record<string, string | number | boolean | ReadonlyArray<string> | undefined>>

export class Asking {
  readonly #base: URL
  readonly #headers: Readonly<Record<string, string>>
  readonly #fetch: Fetch
  /** What was answered before, and the tag to say so with. */
  readonly #before = new Map<string, { readonly etag: string; readonly body: unknown }>()

  constructor(url: string | URL, headers: Readonly<Record<string, string>>, fetch: Fetch) {
    const here = (globalThis as { readonly location?: { readonly href: string } }).location?.href
    this.#base = new URL(url, here)
    if (!this.#base.pathname.endsWith("/")) this.#base.pathname += "/"
    this.#headers = headers
    this.#fetch = fetch
  }

  address(path: keyof typeof paths, values: ReadonlyArray<string>, query: Query): string {
    let at = 0
    const below = paths[path].slice(1).replaceAll(/\{\w+\}/g, () => encodeURIComponent(values[at++] ?? ""))
    const url = new URL(below, this.#base)
    for (const [name, value] of Object.entries(query)) {
      if (value === undefined) continue
      for (const one of Array.isArray(value) ? (value as ReadonlyArray<string>) : [value])
        url.searchParams.append(name, String(one))
    }
    return url.href
  }
  /** Asks with the tag of the last answer, so that an unchanged one is not sent again. */
  async get<A>(
    path: keyof typeof paths,
    values: ReadonlyArray<string> = [],
    query: Query = {},
    signal?: AbortSignal,
  ): Promise<A> {
    const address = this.address(path, values, query)
    const before = this.#before.get(address)
    const response = await this.send(address, {
      headers: before === undefined ? {} : { "if-none-match": before.etag },
      signal,
    })
    if (response.status === 304 && before !== undefined) return before.body as A
    const body = await checked(response)
    const etag = response.headers.get("etag")
    if (etag !== null) {
      if (this.#before.size >= 32) this.#before.clear()
      this.#before.set(address, { etag, body })
    }
    return body as A
  }
  async post<A>(path: keyof typeof paths, body: unknown): Promise<A> {
    return (await checked(await this.send(this.address(path, [], {}), this.#posted(body)))) as A
  }
  /** What is no JSON of ours. `body`: it is asked for with POST. */
  async file(path: keyof typeof paths, query: Query, body?: unknown): Promise<ReadableStream<Uint8Array>> {
    const response = await this.send(
      this.address(path, [], query),
      body === undefined ? {} : this.#posted(body),
    )
    return response.body ?? new ReadableStream()
  }
  #posted(body: unknown): RequestInit & { readonly signal?: undefined } {
    return {
      method: "POST",
      // A browser says its origin itself and lets nobody else say it; another program has to.
      headers: { "content-type": "application/json", origin: this.#base.origin },
      body: JSON.stringify(body),
    }
  }
  /** An answer of whatever status but a problem's. */
  async send(
    address: string,
    init: Omit<RequestInit, "signal"> & { readonly signal?: AbortSignal | undefined },
  ): Promise<Response> {
    const { signal, ...rest } = init
    let response: Response
    try {
      response = await this.#fetch(address, {
        ...rest,
        headers: { ...this.#headers, ...(rest.headers as Record<string, string>) },
        redirect: "error",
        ...(signal !== undefined && { signal }),
      })
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason
      throw new InspectorError("unreachable", "The inspector cannot be reached.", { cause: error })
    }
    if (response.ok || response.status === 304) return response
    throw await problemOf(response)
  }
}

const checked = async (response: Response): Promise<unknown> => {
  const body = await jsonOf(response)
  versionOf(body)
  return body
}

/** @throws InspectorError `not-inspector`, `version` */
export const versionOf = (body: unknown): void => {
  const version: unknown =
    typeof body === "object" && body !== null && "protocolVersion" in body ? body.protocolVersion : undefined
  if (version === protocolVersion) return
  throw typeof version !== "number"
    ? new InspectorError("not-inspector", "What answers there is no inspector.")
    : new InspectorError(
        "version",
        `The inspector speaks version ${version} of the protocol, this client ${protocolVersion}.`,
      )
}

const jsonOf = async (response: Response): Promise<unknown> => {
  try {
    return await response.json()
  } catch (error) {
    throw new InspectorError("not-inspector", "What answers there is no inspector.", {
      status: response.status,
      cause: error,
    })
  }
}

const problemOf = async (response: Response): Promise<InspectorError> => {
  const { status } = response
  try {
    const problem = (await response.json()) as Partial<Problem> | null
    const { code, detail, title } = problem ?? {}
    if (code !== undefined && Object.hasOwn(problemTitles, code))
      return new InspectorError(code, detail === undefined ? String(title) : `${String(title)} ${detail}`, {
        status,
        problem: problem as Problem,
      })
  } catch {
    // Somebody else's answer.
  }
  return new InspectorError("not-inspector", `The answer is ${status}, and not the inspector's.`, { status })
}
