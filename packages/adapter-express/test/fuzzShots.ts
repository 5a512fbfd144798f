/** What is sent, and when its sender leaves: data, drawn from a seed. */
import {
  hostileBody,
  hostileCookie,
  hostileId,
  hostileLastEvent,
  hostileQuery,
  inPath,
  logins,
  marks,
  type Body,
} from "./fuzzHostile.ts"
import type { Random } from "./fuzzRandom.ts"

/** When the client destroys its connection; milliseconds since it was sent, bytes of the body. */
type Leaving =
  | { readonly at: "never" }
  | { readonly at: "once sent" }
  | { readonly at: "headers" }
  | { readonly at: "time"; readonly ms: number }
  | { readonly at: "body"; readonly bytes: number }

/** A request that is HTTP, sent by Node's own client. */
export interface Asked {
  readonly kind: "asked"
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | undefined
  readonly leaving: Leaving
}
/** Bytes on a connection of its own, which is then closed in one way or another. */
export interface Raw {
  readonly kind: "raw"
  readonly parts: ReadonlyArray<Buffer>
  /** Between parts. */
  readonly ms: number
  readonly leaving: "destroys" | "ends" | "waits"
}
export type Shot = Asked | Raw

/** What the server has given away lately, to be sent back to it. */
export interface Loot {
  readonly cookies: Array<string>
  readonly eventIds: Array<string>
  /** Streams that somebody may come back to. */
  readonly streams: Array<{ readonly query: string; readonly login: string; readonly eventId: string }>
}

type Route = (random: Random) => {
  readonly method: string
  readonly path: string
  readonly body?: Body
  /** It goes on for as long as somebody waits for it. */
  readonly endless?: true
}

const id = (random: Random): string => inPath(random, hostileId(random))
const routes: ReadonlyArray<Route> = [
  (random) => ({ method: "GET", path: `/notes/${id(random)}` }),
  (random) => ({ method: "GET", path: `/notes/${id(random)}` }),
  () => ({ method: "GET", path: "/me" }),
  (random) => ({ method: random.pick(["GET", "GET", "HEAD"]), path: `/chats?${hostileQuery(random)}` }),
  (random) => ({ method: "GET", path: `/chats/resume?${hostileQuery(random)}` }),
  (random) => ({ method: random.pick(["GET", "GET", "HEAD"]), path: `/events/${id(random)}` }),
  (random) => ({
    method: "POST",
    path: `/jobs${random.pick(["", "", "?busy=reject", "?busy=replace", "?timeout=1", "?busy[a]=queue", "?__proto__[x]=1"])}`,
    body: hostileBody(random),
  }),
  (random) => ({ method: "POST", path: "/jobs?busy=replace", body: hostileBody(random) }),
  (random) => ({ method: "POST", path: "/jobs?busy=reject", body: hostileBody(random) }),
  (random) => ({
    method: random.pick(["GET", "GET", "HEAD"]),
    path: `/files/${Array.from({ length: 1 + random.below(3) }, () => id(random)).join("/")}`,
  }),
  (random) => ({ method: "GET", path: `/flaky/${id(random)}` }),
  (random) => ({
    method: "GET",
    path: `/own/${id(random)}?do=${random.pick(["", "throw", "late", "broken", "close", "restart", "background"])}`,
  }),
  (random) => ({ method: "GET", path: `/broken-off/${id(random)}?do=${random.pick(["throw", "break"])}` }),
  (random) => ({ method: "GET", path: `/beside/${id(random)}` }),
  (random) => ({ method: "GET", path: `/waits/${id(random)}`, endless: true }),
  (random) => ({ method: "GET", path: `/endless/${id(random)}`, endless: true }),
  (random) => ({ method: "POST", path: `/close/${id(random)}` }),
  (random) => ({ method: "GET", path: `/two/${id(random)}` }),
  (random) => ({ method: "GET", path: `/naive/${id(random)}` }),
  (random) => ({ method: "GET", path: `/kept?${hostileQuery(random)}` }),
  (random) => ({ method: "GET", path: `/bare/${id(random)}` }),
  (random) => ({ method: random.pick(["GET", "PUT", "OPTIONS", "DELETE"]), path: `/${id(random)}` }),
]

/** What Node's client lets through; the rest is for raw connections. */
const sendable = (text: string): string => text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, "")

const headersFor = (random: Random, loot: Loot, body: Body | undefined): Record<string, string> => {
  const headers: Record<string, string> = {}
  const set = (name: string, value: string | undefined): void => {
    if (value !== undefined) headers[name] = sendable(value)
  }
  // A few of them often, so that they meet in one session.
  if (random.chance(0.6)) set("authorization", `Bearer token-${random.below(2)}`)
  else if (random.chance(0.8)) set("authorization", random.pick([...logins.keys()]))
  else
    set(
      "authorization",
      random.pick([`Bearer ${marks.header}`, "Bearer token-1, Bearer token-2", "__proto__", ""]),
    )
  set("cookie", hostileCookie(random, loot.cookies))
  if (random.chance(0.5)) set("x-user", hostileId(random).trim())
  if (random.chance(0.3)) set("last-event-id", hostileLastEvent(random, loot.eventIds))
  if (random.chance(0.3))
    set(
      "x-forwarded-for",
      random.pick([
        `10.0.${random.below(8)}.${random.below(250)}`,
        `${marks.header}, 127.0.0.1`,
        "::ffff:1.2.3.4",
        "2001:db8::1%eth0",
        "999.1.1.1",
        ",,,",
        `${"1.1.1.1,".repeat(300)}2.2.2.2`,
      ]),
    )
  if (random.chance(0.05)) set("x-forwarded-proto", random.pick(["https", `https,${marks.header}`]))
  if (random.chance(0.05)) set("x-forwarded-host", `${marks.header}\u00E9:99999`)
  if (random.chance(0.05)) set("host", random.pick([marks.header, "[::1", "a b", "", "é"]))
  if (random.chance(0.05)) set("accept", random.pick(["text/event-stream", `${marks.header}/*;q=zz`]))
  if (random.chance(0.03)) set("expect", random.pick(["100-continue", marks.header]))
  if (random.chance(0.03)) set(`x-${marks.header}`, "h".repeat(random.below(20_000)))
  if (body !== undefined) {
    set("content-type", body.type)
    set("content-encoding", body.encoding)
  }
  return headers
}

const leavingOf = (random: Random): Leaving => {
  const roll = random.next()
  if (roll < 0.55) return { at: "never" }
  if (roll < 0.65) return { at: "once sent" }
  if (roll < 0.75) return { at: "headers" }
  if (roll < 0.88) return { at: "time", ms: random.below(25) }
  return { at: "body", bytes: random.below(200_000) }
}

const asked = (random: Random, loot: Loot): Asked => {
  const { method, path, body, endless } = random.pick(routes)(random)
  const one: Asked = {
    kind: "asked",
    method,
    path: path.replaceAll(/[^\x21-\x7e]/g, ""),
    headers: headersFor(random, loot, body),
    body: body?.bytes,
    leaving: endless === undefined ? leavingOf(random) : { at: "time", ms: random.below(60) },
  }
  const stream = random.pick(loot.streams)
  if (stream === undefined || !path.startsWith("/chats/resume") || random.chance(0.3)) return one
  const headers = { ...one.headers, authorization: stream.login, "last-event-id": stream.eventId }
  return { ...one, path: `/chats/resume?${stream.query}`, headers }
}

/** The same request as the bytes Node's client would send, to be spoilt. */
const written = ({ method, path, headers, body }: Asked): string => {
  const lines = Object.entries({ host: "x", ...headers }).map(([name, value]) => `${name}: ${value}`)
  if (body !== undefined) lines.push(`content-length: ${body.length}`)
  return `${[`${method} ${path} HTTP/1.1`, ...lines].join("\r\n")}\r\n\r\n${body?.toString("latin1") ?? ""}`
}

type Spoil = (text: string, random: Random) => string
const { header } = marks
const spoils: ReadonlyArray<Spoil> = [
  (text) => text,
  (text, random) => text.slice(0, random.below(text.length)),
  (text, random) => text.slice(0, random.below(text.length)),
  (text, random) => {
    const at = random.below(text.length)
    return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1)
  },
  (text) => text.replace("HTTP/1.1", "HTTP/1.0"),
  (text) => text.replace("HTTP/1.1", "HTTP/9.9"),
  (text) => text.replace("HTTP/1.1", header),
  (text) => text.replaceAll("\r\n", "\n"),
  (text) => text.replaceAll("\r\n", "\r"),
  (text) => text.replace(/^\w+ /, `${header} `),
  (text) => text.replace(/^\w+ \S+/, "OPTIONS *"),
  (text) => text.replace(/^\w+ \S+/, "CONNECT x:1"),
  (text) => text.replace(/^(\w+) (\S+)/, `$1 http://${header}$2`),
  (text) => text.replace(/^(\w+) (\S+)/, `$1 //${header}$2`),
  (text) => text.replace(/^(\w+) (\S+)/, `$1 $2\u0000${marks.id}\u001B[2J é`),
  (text) => text.replace(/^(\w+) (\S+)/, `$1 $2?${"q".repeat(20_000)}`),
  (text) => text.replace("host: x", `host: x\r\nhost: ${header}`),
  (text) => text.replace("host: x\r\n", ""),
  (text) =>
    text.replace("host: x", `host: x\r\ncookie: sojourn=${marks.cookie}\r\ncookie: sojourn=${marks.cookie}`),
  (text) => text.replace("host: x", `host: x\r\n${`x-${header}: 1\r\n`.repeat(2500)}y: 1`),
  (text) => text.replace("host: x", `host: x\r\nx-long: ${"h".repeat(40_000)}`),
  (text) => text.replace("host: x", `host: x\r\nx-${header}: a\u0000b`),
  (text) => text.replace("host: x", `host: x\r\n ${header}: folded`),
  (text) => text.replace("host: x", `host: x\r\nbad header ${header}`),
  (text) => text.replace("host: x", `host: x\r\ncontent-length: 5\r\ncontent-length: 6`),
  (text) => text.replace("host: x", `host: x\r\ncontent-length: -1`),
  (text) => text.replace("host: x", `host: x\r\ncontent-length: 99999`),
  (text) => text.replace("host: x", "host: x\r\ntransfer-encoding: chunked\r\ncontent-length: 3"),
  (text) => text.replace("host: x", `host: x\r\ntransfer-encoding: ${header}`),
  (text) => `${text.replace("host: x", "host: x\r\ntransfer-encoding: chunked")}zz\r\n${marks.body}`,
  (text) => `${text.replace("host: x", "host: x\r\ntransfer-encoding: chunked")}7\r\n${marks.body}`,
  (text) => text.replace("host: x", "host: x\r\nconnection: upgrade\r\nupgrade: websocket"),
  (text) => text.replace("host: x", "host: x\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c"),
  (text) => text.replace("host: x", "host: x\r\nexpect: 100-continue"),
  (text) => text.repeat(3),
  (text) => `${text}${text.slice(0, text.length / 2)}`,
  (text) => `\r\n\r\n${text}`,
  (_text, random) => Array.from({ length: 300 }, () => String.fromCharCode(random.below(256))).join(""),
  () => "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00FC\u0003\u0003",
  () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  () => "",
]

const raw = (random: Random, loot: Loot): Raw => {
  const text = random.pick(spoils)(written(asked(random, loot)), random)
  const whole = Buffer.from(text, "latin1")
  const cuts = [0, ...Array.from({ length: random.below(3) }, () => random.below(whole.length)), whole.length]
  cuts.sort((a, b) => a - b)
  return {
    kind: "raw",
    parts: cuts.slice(1).map((cut, at) => whole.subarray(cuts[at], cut)),
    ms: random.below(4),
    leaving: random.pick(["destroys", "ends", "waits"]),
  }
}

export const shot = (random: Random, loot: Loot): Shot =>
  random.chance(0.75) ? asked(random, loot) : raw(random, loot)

/** For who has to find out what went wrong. */
export const shown = (one: Shot): string => {
  const text = JSON.stringify(
    one.kind === "asked"
      ? { ...one, body: one.body?.toString("latin1") }
      : { ...one, parts: one.parts.map((part) => part.toString("latin1")) },
  )
  return text.length > 3000 ? `${text.slice(0, 3000)}…` : text
}
