/**
 * A small round in which everything goes as it should, played on the real engine and written down by the real book: what the
 * tests tamper with. It holds one of each: turns in line, a repeated one, a nested one, a lease, a stream, probes, saved
 * state, refusals, an abort, a close, a restart, a leak that ends, and a drain with work under way.
 */
import { createSessions, type Opening, type SessionStream } from "@sojourn/core"
import { Book, settled } from "../src/book/Book.ts"
import { Trace } from "../src/book/Trace.ts"
import type { Ask, Call, Life, SiteRecord, Terms } from "../src/book/types.ts"
import { Tally } from "../src/faults.ts"
import { Gates } from "../src/Gates.ts"
import { Random } from "../src/random.ts"
import { pause, untilTrue } from "../src/time.ts"
import { handInFor } from "../src/users/calls.ts"
import type { BodyPlan, CallPlan, Origin, Step } from "../src/users/plans.ts"
import { Children } from "../src/world/children.ts"
import { EchoServer } from "../src/world/EchoServer.ts"
import type { Resource, Scene, Site } from "../src/world/Scene.ts"

const terms: Terms = {
  concurrency: 1,
  maxSessions: 100,
  maxPerOwner: 10,
  seat: 1000,
  queue: 2000,
  open: 1000,
  silence: 1000,
  stall: 1000,
  lease: 1000,
  grace: 200,
  close: 150,
  onLeak: "reopen",
  rebuilds: true,
}

// One for all rounds: each would listen to the end of the process.
const children = new Children()

export interface Honest {
  readonly book: Book
  readonly site: SiteRecord
  readonly calls: {
    readonly first: Call
    readonly second: Call
    readonly failing: Call
    readonly repeated: Call
    readonly nesting: Call
    readonly refused: Call
    readonly aborted: Call
    readonly cut: Call
    readonly stream: Call
    readonly lease: Call
    readonly leased: Call
  }
  readonly close: Ask
  readonly drain: Ask
  /** The generations of a key, in order. */
  readonly livesOf: (key: string) => ReadonlyArray<Life>
}

const plan = (steps: ReadonlyArray<Step> = [], end: BodyPlan["end"] = "value"): BodyPlan => ({ steps, end })

export const honestRound = async (): Promise<Honest> => {
  const book = new Book(1, new Trace())
  const random = new Random("honest")
  const tally = new Tally()
  const gates = new Gates(10)
  const server = await EchoServer.start(random, tally)
  const record = book.site("honest", terms, "own")
  const { concurrency, maxPerOwner, maxSessions, onLeak, rebuilds, ...timeouts } = terms
  const live = new Set<Resource>()
  const sessions = createSessions<Resource>({
    name: "honest",
    concurrency,
    maxPerOwner,
    maxSessions,
    onLeak,
    timeouts,
    restart: rebuilds && { times: 10, delay: 0 },
    open: (opening) => openHonestly(book, record, gates, opening),
  })
  const site: Site = {
    record,
    kind: "memory",
    sessions,
    keys: ["b", "c"],
    live,
    openings: new Map(),
    drainAsked: false,
    outageUntil: 0,
    watchesHeap: false,
  }
  sessions.subscribe((event) => book.hear(record, event))
  const scene: Scene = {
    book,
    random,
    tally,
    gates,
    stores: new Map(),
    children,
    server,
    sites: [site],
    former: [],
    handIn: (...of) => handIn(...of),
    databases: 0,
  }
  const handIn = handInFor(scene)
  /** Handing in is synchronous: the last call of the book is the one it made. */
  const hand = (key: string, of: CallPlan, origin?: Origin): { call: Call; told: Promise<unknown> } => {
    const told = handIn(site, key, of, random.fork(key, book.calls.length), origin)
    return { call: book.calls.at(-1) as Call, told }
  }

  const first = hand("a", { body: plan([{ is: "pause", ms: 20 }]) })
  const second = hand("a", { body: plan() })
  const failing = hand("a", { body: plan([], "throw") })
  await Promise.all([first.told, second.told, failing.told])
  const nesting = hand("a", { body: plan([{ is: "nested", where: "other" }]) })
  await nesting.told
  const repeated = hand("r", { idempotent: true, body: plan([{ is: "broken" }], "throw") })
  const breaking = hand("r", { whenBusy: "overlap", body: plan([{ is: "broken" }]) })
  await Promise.all([repeated.told, breaking.told])
  const refused = hand("nobody", { mustExist: true, body: plan() })
  const aborted = hand("a", { abortAfter: 5, body: plan([{ is: "pause", ms: 500 }]) })
  await Promise.all([refused.told, aborted.told])
  const stream = await streamHonestly(scene, site)
  const { lease, leased } = await leaseHonestly(scene, site)

  const ask = async (verb: "close" | "restart", key: string): Promise<Ask> => {
    const asked = book.ask(verb, record, key, 0)
    book.answer(asked, await settled(sessions[verb](key)))
    return asked
  }
  await ask("restart", "a")
  const again = hand("a", { body: plan() })
  await again.told
  const close = await ask("close", "a")
  const leaking = hand("leaking", { body: plan() })
  await leaking.told
  await ask("close", "leaking")

  const cut = hand("b", { body: plan([{ is: "hang", how: "heeding", ms: 0 }]) })
  await untilTrue(() => cut.call.starts.length > 0, 1000)
  const drain = book.ask("drain", record, "", 20)
  book.answer(drain, await settled(sessions.drain({ finishWithin: 20 })))
  await cut.told
  record.drainedAt = book.moment().tick
  record.drained = sessions.snapshot()
  gates.letGo()
  await untilTrue(() => sessions.snapshot().counts.leaked === 0, 1000)
  await pause(5)
  record.quiet = sessions.snapshot()
  await server.stop()

  return {
    book,
    site: record,
    calls: {
      first: first.call,
      second: second.call,
      failing: failing.call,
      repeated: repeated.call,
      nesting: nesting.call,
      refused: refused.call,
      aborted: aborted.call,
      cut: cut.call,
      stream,
      lease,
      leased,
    },
    close,
    drain,
    livesOf: (key) => book.lives.filter((life) => life.key === key),
  }
}

const openHonestly = async (
  book: Book,
  record: SiteRecord,
  gates: Gates,
  opening: Opening,
): Promise<Resource> => {
  const life = book.life(record, opening, opening.restored)
  for (const what of ["first", "second"]) {
    const piece = book.piece(life, what, true)
    opening.onClose(async () => {
      book.release(life, piece)
      if (life.key === "leaking" && what === "first") await gates.wait()
      await pause(2)
      book.releaseEnd(life, piece, undefined)
    })
  }
  opening.save(() => {
    const save = book.save(life)
    book.saveEnd(life, save, { by: life.serial })
    return save.state
  })
  opening.probe(
    async () => {
      const span = book.probe(life)
      await pause(1)
      book.probeEnd(life, span, "is good")
      return true
    },
    { trustFor: 0 },
  )
  const resource: Resource = { life, opening, ask: async (text) => text, harm: () => {} }
  book.openEnd(life, true, resource)
  return resource
}

const streamHonestly = async ({ book }: Scene, site: Site): Promise<Call> => {
  const call = book.call("stream", site.record, "a", {}, "queue")
  const record = { askedAt: undefined, left: false, begun: undefined, taken: 0, given: 0 }
  call.stream = record
  const stream: SessionStream<number> = site.sessions.stream("a", async function* count(resource, task) {
    book.start(call, resource.life, task.signal)
    for (record.given = 1; record.given < 4; record.given++) yield record.given
    record.given--
    book.end(call, true, undefined)
  })
  for await (const _ of stream) record.taken++
  book.begun(call, record, (await settled(stream.started)).fulfilled)
  book.tell(call, { fulfilled: true, value: undefined })
  return call
}

const leaseHonestly = async (scene: Scene, site: Site): Promise<{ lease: Call; leased: Call }> => {
  const { book } = scene
  const lease = book.call("lease", site.record, "a", {}, "overlap")
  const held = await site.sessions.lease("a")
  lease.lease = { serial: held.session.serial, usedAt: 0, turns: 0, released: true, ended: undefined }
  held.signal.addEventListener("abort", () => {
    if (lease.lease !== undefined) lease.lease.ended = book.moment()
  })
  book.tell(lease, { fulfilled: true, value: held })
  const told = scene.handIn(site, "a", { body: plan() }, scene.random, {
    lease: { call: lease, run: held.run },
  })
  const leased = book.calls.at(-1) as Call
  await told
  await held.release()
  return { lease, leased }
}
