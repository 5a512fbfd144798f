/** From a request to an answer. Whatever goes wrong on the way becomes a problem without a stack. */
import type * as decoders from "../protocol/decode.ts"
import { protocolVersion } from "../protocol/version.ts"
import { bounds, roles, type Role } from "../protocol/words.ts"
import { taskDetail, sessionDetail } from "../rows/detail.ts"
import { taskNames } from "../rows/kindRow.ts"
import { safeHeaders } from "../safety/headers.ts"
import { isJson } from "../safety/json.ts"
import { isLoopback } from "../safety/loopback.ts"
import { Refusal } from "../safety/Refusal.ts"
import { isFromElsewhere, isSameOrigin } from "../safety/sameOrigin.ts"
import { sessionsWindow } from "../windows/sessionsWindow.ts"
import { tasksWindow } from "../windows/tasksWindow.ts"
import type { Answer, Ask } from "./Ask.ts"
import { etagOf, matches } from "./etag.ts"
import type { Inspector, OnAction } from "./Inspector.ts"
import { much } from "./LookCache.ts"
import { type File, file, profiled } from "./profile.ts"
import { type Route, routeOf } from "./routes.ts"

type Decode = typeof decoders
/** With the first request: nobody who never looks pays for the schemas. */
let loaded: Promise<Decode> | undefined
const decoding = (): Promise<Decode> => (loaded ??= import("../protocol/decode.ts"))

/** Of the host's own request. */
export interface Host {
  /** Undefined: nobody said who may, so only this machine may. */
  readonly authorize: (() => unknown) | undefined
  readonly onAction: OnAction | undefined
}

export const handle = async (inspector: Inspector, ask: Ask, host: Host): Promise<Answer> => {
  try {
    return await answer(inspector, ask, host)
  } catch (error) {
    return problem(await refusalOf(error))
  }
}
const refusalOf = async (error: unknown): Promise<Refusal> => {
  if (error instanceof Refusal) return error
  const { Undecodable } = await decoding()
  return error instanceof Undecodable
    ? new Refusal("bad-request", { detail: error.message })
    : new Refusal("failed")
}
const problem = ({ headers, problem: body }: Refusal): Answer => ({
  status: body.status,
  headers: {
    ...safeHeaders,
    "cache-control": "no-store",
    "content-type": "application/problem+json",
    ...headers,
  },
  body: JSON.stringify(body),
})

const answer = async (inspector: Inspector, ask: Ask, host: Host): Promise<Answer> => {
  if (ask.path.length + ask.query.length > bounds.address) throw new Refusal("too-large")
  const role = await roleOf(ask, host)
  const { allow, found } = routeOf(ask.path)
  if (allow.length === 0) throw new Refusal("not-found")
  const method = ask.method === "HEAD" ? "GET" : ask.method
  const route = found.find((one) => one.method === method)
  if (route === undefined) throw new Refusal("method-not-allowed", { headers: { allow: allow.join(", ") } })
  if (route.name === "act" || route.name === "profile") return act(inspector, ask, role, route.name, host)
  if (isFromElsewhere(ask.header)) throw new Refusal("cross-site")
  const decode = await decoding()
  if (route.name === "stream") return stream(inspector, ask, decode)
  if (route.name === "snapshot") {
    const { after, ...asked } = decode.decodeSnapshotQuery(ask.query)
    return json(ask, (await inspector.watch(asked, after, true)).once())
  }
  if (route.name === "recording") {
    const { lastMs } = decode.decodeRecordingQuery(ask.query)
    return download(file("ndjson.gz", "application/gzip", inspector.recording(lastMs)))
  }
  return read(inspector, ask, role, route, decode)
}

const roleOf = async (ask: Ask, { authorize }: Host): Promise<Role> => {
  if (authorize === undefined) {
    if (isLoopback(ask)) return "operate"
    throw new Refusal("not-loopback")
  }
  const role = await authorize()
  const known = roles.find((one) => one === role)
  if (known === undefined) throw new Refusal("not-authorized")
  return known
}

const act = async (
  inspector: Inspector,
  ask: Ask,
  role: Role,
  name: "act" | "profile",
  { onAction }: Host,
): Promise<Answer> => {
  if (role !== "operate") throw new Refusal("not-authorized")
  if (!isSameOrigin(ask.header)) throw new Refusal("cross-site")
  if (!isJson(ask.header("content-type"))) throw new Refusal("not-json")
  const length = ask.header("content-length")
  if (length !== undefined && Number(length) > bounds.body) throw new Refusal("too-large")
  const { decodeAction, decodeNoQuery, decodeProfile } = await decoding()
  decodeNoQuery(ask.query)
  if (name === "profile") {
    const asked = decodeProfile(await ask.json())
    const made = await inspector.actions.profile(role, onAction, () => profiled(asked, inspector.names))
    return "file" in made
      ? download(made.file)
      : acted(inspector, 200, `"attribution":${JSON.stringify(made.attribution)}`)
  }
  const record = await inspector.actions.act(decodeAction(await ask.json()), role, onAction)
  inspector.looks.clear()
  return acted(inspector, record.endedAt === undefined ? 202 : 200, `"record":${JSON.stringify(record)}`)
}
const acted = (inspector: Inspector, status: number, content: string): Answer => ({
  status,
  headers: { ...safeHeaders, "cache-control": "no-store", "content-type": "application/json" },
  body: `{${stamp(inspector.nextSnapshot(), Date.now())},${content}}`,
})
const download = ({ body, name, type }: File): Answer => ({
  status: 200,
  headers: {
    ...safeHeaders,
    "cache-control": "no-store, no-transform",
    "content-disposition": `attachment; filename="${name}"`,
    "content-type": type,
  },
  body,
})
const stamp = (snapshot: number, at: number): string =>
  `"protocolVersion":${protocolVersion},"snapshot":${snapshot},"at":${at}`

const stream = async (inspector: Inspector, ask: Ask, decode: Decode): Promise<Answer> => {
  const viewer = await inspector.watch(decode.decodeStreamQuery(ask.query), ask.header("last-event-id"))
  return {
    status: 200,
    headers: {
      ...safeHeaders,
      // What compresses on the way would wait for more than one frame.
      "cache-control": "no-store, no-transform",
      "content-type": "text/event-stream",
      "x-accel-buffering": "no",
    },
    body: viewer,
  }
}

const read = async (
  inspector: Inspector,
  ask: Ask,
  role: Role,
  route: Route,
  decode: Decode,
): Promise<Answer> => {
  if (route.name === "openapi") {
    decode.decodeNoQuery(ask.query)
    return json(ask, (documented ??= JSON.stringify(decode.openApi())))
  }
  const question = `${role} ${ask.path}?${ask.query}`
  const seen = inspector.looks.get(question)
  if (seen !== undefined) return json(ask, seen.content, seen)
  // What is waited for comes before the look: a look is one moment.
  const look = await prepared(inspector, ask, role, route, decode)
  const began = performance.now()
  const snapshot = inspector.nextSnapshot()
  const at = Date.now()
  const content = JSON.stringify(look()).slice(1, -1)
  const looked = { snapshot, at, content, etag: etagOf(content) }
  // Actions go on by themselves, and events are asked for by number.
  const goesOn = route.name === "action" || route.name === "actions" || route.name === "events"
  if (!goesOn && inspector.size >= much) inspector.looks.set(question, looked, performance.now() - began)
  return json(ask, content, looked)
}
let documented: string | undefined

const json = (
  ask: Ask,
  content: string,
  looked?: { readonly snapshot: number; readonly at: number; readonly etag: string },
): Answer => {
  const etag = looked?.etag ?? etagOf(content)
  const headers = { ...safeHeaders, "cache-control": "private, no-cache", etag }
  if (matches(ask.header("if-none-match"), etag)) return { status: 304, headers, body: "" }
  return {
    status: 200,
    headers: { ...headers, "content-type": "application/json" },
    body: looked === undefined ? content : `{${stamp(looked.snapshot, looked.at)},${content}}`,
  }
}

/** Undecodable questions are refused here; what is looked at is looked at all at once. */
const prepared = async (
  inspector: Inspector,
  { query }: Ask,
  role: Role,
  { name, values }: Route,
  decode: Decode,
): Promise<() => unknown> => {
  const { context, names, registries, warned } = inspector
  switch (name) {
    case "sessions": {
      const asked = decode.decodeSessionQuery(query)
      return () => ({ sessions: sessionsWindow(registries.all(), asked, context) })
    }
    case "tasks": {
      const asked = decode.decodeTaskQuery(query)
      return () => ({ tasks: tasksWindow(registries.all(), asked, context) })
    }
    case "series": {
      const asked = decode.decodeSeriesQuery(query)
      return () => ({ series: inspector.series(asked) })
    }
    case "heatmap": {
      const asked = decode.decodeHeatmapQuery(query)
      return () => ({ heatmap: inspector.heatmap(asked) })
    }
    case "events": {
      const { after = 0, limit = bounds.events, ...filter } = decode.decodeEventQuery(query)
      inspector.events.linger()
      return () => inspector.events.take(after, limit, filter, names)
    }
    default:
  }
  decode.decodeNoQuery(query)
  const [first = "", second = ""] = values
  switch (name) {
    case "about":
      return () => inspector.about(role)
    case "overview":
      return () => ({ kinds: inspector.kinds() })
    case "kind": {
      const inspection = inspector.registry(first)
      return () => ({ kind: inspector.kindOf(inspection), tasks: taskNames(inspection) })
    }
    case "session": {
      const { inspection, named } = await inspector.session(first, second)
      return () => ({ session: sessionDetail(inspection, named, context) ?? nothing() })
    }
    case "task": {
      const inspection = inspector.registry(first)
      return () => ({ task: taskDetail(inspection, second, context) ?? nothing() })
    }
    case "warnings":
      return () => ({ ...warned.active(names), catalogue: warned.catalogue(), recent: warned.recent(names) })
    case "actions":
      return () => ({ records: inspector.actions.log.all() })
    case "action":
      return () => ({ record: inspector.actions.log.find(first) ?? nothing() })
    default:
      return nothing
  }
}
const nothing = (): never => {
  throw new Refusal("not-found")
}
