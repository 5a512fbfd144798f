/** Texts that no server wants to be sent. Each carries a mark, which must not turn up in anything a process writes. */
import type { Random } from "./fuzzRandom.ts"

/** In small letters and digits, which a key's canonical text leaves as they are; what is written is searched for them. */
export const marks = {
  id: "zq7id",
  owner: "zq7owner",
  cookie: "zq7cookie",
  header: "zq7header",
  lastEvent: "zq7last",
  body: "zq7body",
} as const

/** What a login would have verified, by token. */
export const logins: ReadonlyMap<string, string> = new Map(
  [
    ...Array.from({ length: 12 }, (_, number) => `${marks.owner}-${number}`),
    `${marks.owner}~${marks.id}`,
    `__proto__${marks.owner}`,
    `${marks.owner}/../\u202Eevil\u0000\u001B[2J`,
    `${marks.owner}é漢🦄`,
    `${marks.owner}${"x".repeat(600)}`,
  ].map((owner, number) => [`Bearer token-${number}`, owner]),
)

const bytes = (random: Random, most: number): string =>
  Array.from({ length: random.below(most) }, () => String.fromCharCode(random.below(256))).join("")

const shapes: ReadonlyArray<(id: string, random: Random) => string> = [
  (id) => `\u0000${id}\u0000`,
  (id) => `${id}é漢字🦄`,
  (id) => `\u202E${id}\u2066\uFEFF\u200B`,
  (id) => `\u001B[31m${id}\u001B[0m\u0007`,
  (id) => `${id}\r\nset-cookie: ${id}=1\r\n\r\n`,
  (id) => `../../${id}/../../etc/passwd`,
  (id) => `..\\${id}\\con`,
  (id) => `${id}~${marks.owner}-1`,
  (id) => `__proto__.${id}`,
  (id) => `constructor[prototype][${id}]`,
  (id) => `${id}${"y".repeat(700)}`,
  (id) => `%${id}%zz%00`,
  (id) => `\${${id}}{{${id}}}<script>${id}</script>'"\`;--`,
  (id) => `${id}\uD800`,
  (id, random) => id + bytes(random, 40),
]
const bare = ["__proto__", "constructor", "toString", "con", ".", "..", " ", "\u0000", ""]

/** Often one of a few, so that sessions are met again; otherwise a hostile one. */
export const hostileId = (random: Random): string => {
  const id = `${marks.id}${random.below(5)}`
  if (random.chance(0.5)) return id
  return random.chance(0.12) ? random.pick(bare) : random.pick(shapes)(id, random)
}

/** As a part of a path: as it should be, or as it should not. */
export const inPath = (random: Random, text: string): string => {
  const encoded = encodeURIComponent(text.toWellFormed())
  if (random.chance(0.85)) return encoded
  return random.pick([
    `${encoded}%`,
    `%zz${encoded}`,
    `%e0%a4${encoded}`,
    `%c0%af${encoded}`,
    encodeURIComponent(encoded),
    `${encoded}//${encoded}`,
    `${encoded};a=1`,
    encoded.replaceAll("%", ""),
  ])
}

export const hostileQuery = (random: Random): string => {
  const id = inPath(random, hostileId(random))
  if (random.chance(0.5)) return `id=${id}`
  return random.pick([
    "",
    "id",
    "id=",
    `id=${id}&id=${id}`,
    `id[]=${id}&id[]=${id}`,
    `id[a]=${id}`,
    `id[0][b]=${id}`,
    `id[length]=99999&id[0]=${id}`,
    `__proto__[${marks.id}]=1&id=${id}`,
    `constructor[prototype][${marks.id}]=1&id=${id}`,
    `id[__proto__][${marks.id}]=${id}`,
    `id[toString]=${id}&id[replaceAll]=1`,
    `id=${id}&${"a[b]".repeat(60)}=1`,
    `${"id=1&".repeat(1500)}id=${id}`,
    `%zz=%zz&id=${id}`,
  ])
}

const flipped = (random: Random, text: string): string => {
  const at = random.below(text.length)
  return text.slice(0, at) + (text[at] === "a" ? "b" : "a") + text.slice(at + 1)
}

/** `known`: values that the server has signed. */
export const hostileCookie = (random: Random, known: ReadonlyArray<string>): string | undefined => {
  const signed = known.length === 0 ? `${marks.cookie}.1.x` : random.pick(known)
  if (random.chance(0.55)) return `sojourn=${signed}`
  const junk = `${marks.cookie}${random.below(100)}`
  return random.pick([
    undefined,
    undefined,
    `sojourn=${flipped(random, signed)}`,
    `sojourn=${signed.slice(0, random.below(signed.length))}`,
    `sojourn=${signed}${signed}`,
    `sojourn=${signed.toUpperCase()}`,
    `sojourn=${junk}; sojourn=${signed}`,
    `sojourn=${signed}; sojourn=${junk}`,
    `sojourn=${junk}.${junk}.${junk}`,
    `sojourn=${"0".repeat(40)}.zzzzzzzzzz.${"A".repeat(43)}`,
    `sojourn="${signed}"`,
    `sojourn=%zz${junk}%00`,
    `sojourn=`,
    `sojourn`,
    `__proto__=${junk}; constructor=${junk}; sojourn=${junk}`,
    `__Host-sojourn=${signed}`,
    `${`${junk}=1; `.repeat(300)}sojourn=${signed}`,
    `sojourn=${junk.repeat(600)}`,
    `;;;=;${junk};;=`,
    `sojourn=\u00E9\u00FF${junk}`,
  ])
}

export const hostileLastEvent = (random: Random, known: ReadonlyArray<string>): string | undefined => {
  if (random.chance(0.4)) return known.length === 0 ? undefined : random.pick(known)
  return random.pick([
    undefined,
    "0",
    "3",
    "-1",
    "1e3",
    "999999999999999",
    "9".repeat(400),
    "t1:1",
    ":1",
    "t1:",
    `${marks.lastEvent}:2`,
    `${marks.lastEvent}${"z".repeat(300)}:2`,
    `__proto__:1`,
    ` ${marks.lastEvent}\t`,
    "\u00E9:1",
  ])
}

export interface Body {
  readonly type: string | undefined
  readonly encoding?: string
  readonly bytes: Buffer
}

const unpaired = (text: string): string =>
  // As JSON can write what UTF-8 cannot.
  JSON.stringify(text)

export const hostileBody = (random: Random): Body => {
  const id = hostileId(random)
  const json = (text: string, type = "application/json"): Body => ({ type, bytes: Buffer.from(text) })
  const form = (text: string): Body => ({
    type: "application/x-www-form-urlencoded",
    bytes: Buffer.from(text),
  })
  if (random.chance(0.6)) return json(`{"id":${unpaired(id)}}`)
  return random.pick<() => Body>([
    () => json(`{"id":${unpaired(id)}`),
    () => json(`{"id":${marks.body}}`),
    () => json(`{"id":[${unpaired(id)},${unpaired(id)}]}`),
    () => json(`{"id":[${unpaired(id)},7]}`),
    () => json(`{"id":{"length":2,"0":${unpaired(id)}}}`),
    () => json(`{"id":${random.below(1e9)}}`),
    () => json(`{"id":null}`),
    () => json(`{"id":true}`),
    () => json(`{"__proto__":{"id":${unpaired(id)},"${marks.id}":1}}`),
    () => json(`{"constructor":{"prototype":{"${marks.id}":1}},"id":${unpaired(id)}}`),
    () => json(`{"id":{"toString":1,"replaceAll":1,"every":1}}`),
    () => json("null"),
    () => json(unpaired(marks.body)),
    () => json("[".repeat(5000)),
    () => json(`{"id":"${marks.body}","pad":"${"p".repeat(120_000)}"}`),
    () => json(`{"id":"${marks.body}"}`, `application/json; charset=${marks.body}`),
    () => json(`{"id":"${marks.body}"}`, "application/json; charset=utf-16"),
    () => json(`{"id":"${marks.body}"}`, `application/json; charset="\\"; x=`),
    () => json(`{"id":"${marks.body}"}`, "text/plain"),
    () => json(`{"id":"${marks.body}"}`, `${marks.body}/\u00E9`),
    () => ({ type: "application/json", encoding: "gzip", bytes: Buffer.from(marks.body) }),
    () => ({ type: "application/json", encoding: marks.body, bytes: Buffer.from("{}") }),
    () => ({ type: "application/json", bytes: Buffer.from(bytes(random, 200), "latin1") }),
    () => ({ type: undefined, bytes: Buffer.from(bytes(random, 50), "latin1") }),
    () => form(`id=${inPath(random, id)}`),
    () => form(hostileQuery(random)),
    () => form("a[a]".repeat(200)),
    () => form("a=1&".repeat(2000)),
    () => ({ type: "multipart/form-data; boundary=x", bytes: Buffer.from(`--x\r\n${marks.body}`) }),
    () => ({ type: "application/json", bytes: Buffer.alloc(0) }),
  ])()
}
