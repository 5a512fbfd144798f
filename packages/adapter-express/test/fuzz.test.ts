/**
 * Ten thousand requests that no application was written for, against Express 5 and 4 in a process of their own. Whatever
 * a client does, the process stays up, says nothing of whose session it was, and keeps nothing of it.
 *
 * `FUZZ_SEED` repeats what was sent (not when it arrived), `FUZZ_REQUESTS` says how many.
 */
import { fork, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { expect, onTestFinished, test } from "vitest"
import { Client, type Reply } from "./fuzzClient.ts"
import { marks } from "./fuzzHostile.ts"
import { Random } from "./fuzzRandom.ts"
import type { Question, Ready, State } from "./fuzzServer.ts"
import { shot, shown, type Loot, type Shot } from "./fuzzShots.ts"

const seed = Number(process.env["FUZZ_SEED"] ?? Date.now() % 2 ** 31)
const requests = Number(process.env["FUZZ_REQUESTS"] ?? 10_000)
/** Sent at the same time. */
const lanes = 64
/** Every so many goes to Express 4. */
const everyFifth = 5

class Server {
  readonly #process: ChildProcess
  /** All that it has written, on either stream. */
  output = ""
  readonly ended: Promise<ReadonlyArray<unknown>>
  ports: Ready["ports"] = { 4: 0, 5: 0 }

  constructor() {
    const program = fileURLToPath(new URL("./fuzzServer.ts", import.meta.url))
    this.#process = fork(program, {
      // Not "test": there Express prints nothing.
      env: { ...process.env, NODE_ENV: "production" },
      execArgv: [],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    })
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => void (this.output += text))
    this.ended = once(this.#process, "close")
    onTestFinished(() => void this.#process.kill("SIGKILL"))
  }
  async ready(): Promise<void> {
    this.ports = (await this.#answer<Ready>()).ports
  }
  ask(question: Question): Promise<State> {
    const answer = this.#answer<State>()
    this.#process.send(question)
    return answer
  }
  end(): void {
    this.#process.send("exit" satisfies Question)
  }
  async #answer<A>(): Promise<A> {
    const died = this.ended.then(() => {
      throw new Error(`The server is gone. It said: ${this.output.slice(-3000)}`)
    })
    died.catch(() => {})
    const [message] = (await Promise.race([once(this.#process, "message"), died])) as [A]
    return message
  }
}

const mark = new RegExp(Object.values(marks).join("|"))

/** What of a reply may not be; undefined: it may. */
const wrongWith = (one: Shot, reply: Reply): string | undefined => {
  const error = reply.statuses.find((status) => status >= 500 && status !== 503 && status !== 504)
  if (error !== undefined) return `status ${error}`
  if (one.kind === "raw") return undefined
  const [status] = reply.statuses
  if (mark.test(JSON.stringify(reply.headers))) return "a mark in its headers"
  if (reply.end === "refused") return "no answer"
  if (reply.end === "broken off" && !one.path.startsWith("/broken-off/")) return "broken off"
  const ours = reply.headers["content-type"] === "application/problem+json"
  if ((ours || status === 200) && mark.test(reply.body)) return "a mark in its body"
  if (reply.end !== "complete" || one.method === "HEAD") return undefined
  if ((status === 503 || status === 504) && !ours && !one.path.startsWith("/bare/"))
    return `${status}, and not of ours`
  if (ours && (JSON.parse(reply.body) as { readonly status: unknown }).status !== status)
    return "another status in it"
  return undefined
}

/** Few, so that the same visitors come back. */
const keep = <A>(list: Array<A>, one: A): void => {
  if (list.push(one) > 8) list.shift()
}

const collect = (loot: Loot, owners: Set<string>, one: Shot, reply: Reply): void => {
  for (const cookie of reply.headers["set-cookie"] ?? []) {
    const [, value, owner] = /^sojourn=(([0-9a-f]{40})[^;]+)/.exec(cookie) ?? []
    if (value === undefined || owner === undefined) continue
    keep(loot.cookies, value)
    owners.add(owner)
  }
  const [, eventId] = /^id: (.+)$/m.exec(reply.body) ?? []
  if (eventId === undefined) return
  keep(loot.eventIds, eventId)
  if (one.kind !== "asked" || !one.path.startsWith("/chats?")) return
  const { authorization: login = "" } = one.headers
  keep(loot.streams, { query: one.path.slice("/chats?".length), login, eventId })
}

test(
  `L5, L19: ${requests} hostile requests: no 500, no session left, nobody's name in a log (FUZZ_SEED=${seed})`,
  { timeout: 180_000 },
  async () => {
    const server = new Server()
    await server.ready()
    const client = new Client()
    onTestFinished(() => client.close())

    const loot: Loot = { cookies: [], eventIds: [], streams: [] }
    const owners = new Set<string>()
    const wrong: Array<string> = []
    const seen = new Map<string, number>()
    const count = (what: string | number): void =>
      void seen.set(String(what), (seen.get(String(what)) ?? 0) + 1)
    let next = 0
    const lane = async (): Promise<void> => {
      while (next < requests && wrong.length < 10) {
        const number = next++
        const one = shot(new Random(seed + number * 7919), loot)
        const version = number % everyFifth === 0 ? 4 : 5
        try {
          const reply = await client.send(server.ports[version], one)
          for (const status of reply.statuses) count(status)
          if (one.kind === "asked") count(reply.end)
          collect(loot, owners, one, reply)
          const problem = wrongWith(one, reply)
          if (problem !== undefined)
            wrong.push(
              `${number}, Express ${version}: ${problem}\n${shown(one)}\n${reply.body.slice(0, 500)}`,
            )
        } catch (error) {
          wrong.push(`${number}, Express ${version}: ${String(error)}\n${shown(one)}`)
        }
      }
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    expect(wrong, `FUZZ_SEED=${seed}`).toEqual([])

    // Of those who left or were answered, no work is left behind; sooner than a comment of an event stream would notice.
    const idle = async (): Promise<unknown> =>
      (await server.ask("state")).figures.filter(
        ({ counts }) => counts.running + counts.queued + counts.leases > 0,
      )
    await expect.poll(idle, { timeout: 10_000, message: `FUZZ_SEED=${seed}` }).toEqual([])

    for (const port of Object.values(server.ports)) {
      const plain = await fetch(`http://127.0.0.1:${port}/plain`)
      expect([plain.status, await plain.text()]).toEqual([200, "plain"])
      const headers = { authorization: "Bearer token-1" }
      const turn = await fetch(`http://127.0.0.1:${port}/own/at-the-end`, { headers })
      expect([turn.status, await turn.json()]).toEqual([200, 1])
    }

    // All but one kind of session end by themselves when they are idle.
    const alive = async (): Promise<unknown> =>
      (await server.ask("state")).figures.filter(({ live, name }) => live > 0 && !name.endsWith("-kept"))
    await expect.poll(alive, { timeout: 20_000, message: `FUZZ_SEED=${seed}` }).toEqual([])
    const { figures, polluted, strangers } = await server.ask("end")
    expect([polluted, strangers]).toEqual([false, 0])
    for (const { name, counts, live, opened, closed } of figures) {
      expect({ name, live, leaked: counts.leaked, closed }).toEqual({
        name,
        live: 0,
        leaked: 0,
        closed: opened,
      })
      expect(opened, `${name}: it was not even tried`).toBeGreaterThan(0)
    }

    // It ended because it was told to, not because of a rejection that nobody caught.
    server.end()
    expect(await server.ended).toEqual([0, null])
    const { output } = server
    expect(output.match(mark) && output.slice(output.search(mark) - 300, output.search(mark) + 300)).toBe(
      null,
    )
    expect((output.match(/[0-9a-f]{40}/g) ?? []).filter((text) => owners.has(text))).toEqual([])
    const warnings = Array.from(output.matchAll(/^\(node:\d+\) (\S+)/gm), ([, code]) => code)
    expect(warnings.filter((code) => code?.startsWith("[SOJOURN_") !== true)).toEqual([])

    // Else nothing of this would say anything.
    if (process.env["FUZZ_SHOW"] !== undefined) console.log(seed, [...seen], output.length)
    for (const what of [
      200,
      204,
      400,
      401,
      404,
      409,
      410,
      413,
      415,
      418,
      429,
      431,
      503,
      504,
      "left",
      "broken off",
    ])
      expect(seen.get(String(what)), `${what} was never met`).toBeGreaterThan(0)
    expect(warnings).toContain("[SOJOURN_TRUST_PROXY]")
    expect(warnings).toContain("[SOJOURN_OWNER_FROM_HEADER]")
    expect(output).toContain("SessionRefused")
    expect(output).toContain("TaskStopped")
    expect(owners.size).toBeGreaterThan(50)
  },
)
