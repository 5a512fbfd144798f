/** The application that each host builds, in words that no host owns. */
import {
  createSessions,
  type Opening,
  type Policy,
  type RunOptions,
  type RunTask,
  type Session,
  type SessionKey,
  type Sessions,
  type SessionStream,
  type StreamOptions,
  type StreamTask,
} from "@sojourn/core"
import type {
  BodyOptions,
  BrowserOwnerOptions,
  FromRequestOptions,
  ProblemOptions,
  ReadinessOptions,
  SseOptions,
} from "@sojourn/http"

/** A resource that knows whose it is and counts its turns. */
export interface Counter {
  readonly owner: string | undefined
  readonly id: string
  turns: number
}
type CounterSessions = Sessions<Counter>
export type CounterSession = Session<Counter>

interface RouteBase {
  readonly method: "get" | "post"
  /** Behind the mount. `:id` is one part of the path, `*` at the end all that is left of it. */
  readonly path: string
  readonly sessions: CounterSessions
  /** Who asks: as `login` says, or an anonymous visitor known by a cookie. */
  readonly owner: "login" | "visitor"
  /** Which of the owner's sessions: by `:id`, by `*`, or by the query's `id`. Left out: the owner's only one. */
  readonly id?: "path" | "rest" | "query"
  /** For `fromRequest`. */
  readonly from?: FromRequestOptions
}

/** What a route answers with, by `answer`. */
export type Route =
  /** What `work` resolves to, as JSON. */
  | (RouteBase & {
      readonly answer: "json"
      readonly work: (session: CounterSession) => Promise<object>
    })
  /** The same, reached by `requestKey` instead of `fromRequest`. */
  | (RouteBase & {
      readonly answer: "key"
      readonly work: (reached: { readonly key: SessionKey; readonly signal: AbortSignal }) => Promise<object>
    })
  | (RouteBase & {
      readonly answer: "events"
      readonly open: (session: CounterSession) => Promise<SessionStream<unknown> | undefined>
      readonly options: () => SseOptions<unknown>
    })
  | (RouteBase & {
      readonly answer: "body"
      readonly open: (session: CounterSession) => SessionStream<unknown>
      readonly options: () => BodyOptions<unknown>
    })

export interface Fixture {
  /** The verified subject of an `Authorization` header. */
  readonly login: (authorization: string | undefined) => string | undefined
  readonly visitors: BrowserOwnerOptions
  readonly problems: ProblemOptions
  /** For the route `/ready`, which is the host's. */
  readonly ready: ReadinessOptions
  /** One proxy stands in front, and says in `X-Forwarded-For` and `X-Forwarded-Proto` who the client is. */
  readonly trustProxy: boolean
  readonly routes: ReadonlyArray<Route>
  /**
   * The application's own error handling, behind ours: the host tells it of errors that are not ours and answers the text
   * "the application's own answer", with the `status` of the error, else 500. Once the headers are sent, the host's log does.
   */
  readonly failed: (error: unknown) => void
}

/** What the routes do. A test replaces what it is about. */
interface Script {
  turn: RunTask<Counter, object>
  turnOptions: RunOptions
  elements: StreamTask<Counter, unknown>
  streamOptions: StreamOptions
  events: SseOptions<unknown>
  body: BodyOptions<unknown>
}

export interface FixtureOptions {
  readonly policy?: Policy
  readonly visitors?: Partial<BrowserOwnerOptions>
  readonly problems?: ProblemOptions
  readonly trustProxy?: boolean
  /** Awaited by each opening. */
  readonly opening?: (session: Opening) => unknown
}

export interface MadeFixture extends Fixture {
  readonly script: Script
  readonly sessions: CounterSessions
  readonly others: CounterSessions
  /** What was opened, as `owner/id`, in order. */
  readonly opened: ReadonlyArray<string>
  /** What `failed` was told. */
  readonly errors: ReadonlyArray<unknown>
  /** What the calls of handlers have rejected with. */
  readonly rejected: ReadonlyArray<unknown>
  /** The `signal` of the last request that `requestKey` was asked about. */
  readonly presence: () => AbortSignal | undefined
}

export const makeFixture = (options: FixtureOptions): MadeFixture => {
  const opened: Array<string> = []
  const errors: Array<unknown> = []
  const rejected: Array<unknown> = []
  const create = (name: string): CounterSessions =>
    createSessions({
      name,
      open: async (session): Promise<Counter> => {
        const { owner, id } = session
        opened.push(`${owner}/${id}`)
        await options.opening?.(session)
        return { owner, id, turns: 0 }
      },
      ...options.policy,
    })
  const sessions = create("counters")
  const others = create("others")
  const script: Script = {
    turn: (counter) => ({ ...counter, turns: ++counter.turns }),
    turnOptions: {},
    elements: async function* () {
      yield* ["one", "two", "three"]
    },
    streamOptions: {},
    events: {},
    body: {},
  }
  let presence: AbortSignal | undefined

  const turn = async (session: CounterSession): Promise<object> => {
    try {
      return await session.run((counter, task) => script.turn(counter, task), script.turnOptions)
    } catch (error) {
      rejected.push(error)
      throw error
    }
  }
  const stream = (session: CounterSession): SessionStream<unknown> =>
    session.stream((counter, task) => script.elements(counter, task), script.streamOptions)
  const json = { method: "get", sessions, owner: "login", answer: "json", work: turn } as const
  const events = {
    sessions,
    owner: "login",
    answer: "events",
    options: () => script.events,
  } as const
  const body = {
    method: "get",
    sessions,
    owner: "login",
    id: "path",
    answer: "body",
    open: stream,
    options: () => script.body,
  } as const
  const outlive = { onDisconnect: "continue" } as const
  const opens = async (session: CounterSession): Promise<SessionStream<unknown>> => stream(session)

  return {
    login: (authorization) => subjects(authorization),
    visitors: { secret: "a secret of the tests, long enough", ...options.visitors },
    problems: options.problems ?? {},
    ready: { sessions: [sessions, others] },
    trustProxy: options.trustProxy ?? false,
    failed: (error) => void errors.push(error),
    routes: [
      { ...json, path: "/counters/:id", id: "path" },
      { ...json, path: "/others/:id", id: "path", sessions: others },
      { ...json, path: "/found", id: "query" },
      { ...json, path: "/files/*", id: "rest" },
      { ...json, path: "/mine" },
      { ...json, path: "/visits", owner: "visitor" },
      { ...json, path: "/outlive/:id", id: "path", from: outlive },
      {
        ...json,
        path: "/keys/:id",
        id: "path",
        answer: "key",
        work: ({ key, signal }) => {
          presence = signal
          return turn(sessions.at(key, { signal }))
        },
      },
      { ...events, method: "post", path: "/events/:id", id: "path", open: opens },
      { ...events, method: "get", path: "/events/:id", id: "path", open: (session) => session.resume() },
      { ...events, method: "get", path: "/watch/:id", id: "path", open: opens },
      { ...events, method: "get", path: "/visits/events", owner: "visitor", open: opens },
      { ...events, method: "get", path: "/outlive/watch/:id", id: "path", from: outlive, open: opens },
      { ...body, path: "/body/:id" },
      { ...body, path: "/outlive/body/:id", from: outlive },
    ],
    script,
    sessions,
    others,
    opened,
    errors,
    rejected,
    presence: () => presence,
  }
}

/** A login that believes whom it is told, in a form that no header value equals the owner. */
export const as = (owner: string): { readonly authorization: string } => ({
  authorization: `Bearer ${Buffer.from(owner).toString("base64url")}`,
})
const subjects = (authorization: string | undefined): string | undefined => {
  const [, token] = /^Bearer ([\w-]+)$/.exec(authorization ?? "") ?? []
  return token === undefined ? undefined : Buffer.from(token, "base64url").toString()
}
