/** One round: registries are made, users let loose, one registry is drained under load; then all is let go and judged. */
import { join } from "node:path"
import type { SessionStore } from "@sojourn/core"
import { fileStore } from "@sojourn/core/node"
import { Book, settled, type Told } from "./book/Book.ts"
import type { Trace } from "./book/Trace.ts"
import { askName, callName, lifeName, place } from "./book/names.ts"
import type { Ask, Life, Violation } from "./book/types.ts"
import type { Tally } from "./faults.ts"
import { Gates } from "./Gates.ts"
import type { Held } from "./memory.ts"
import { judge } from "./oracle/judge.ts"
import { slack, stalled } from "./oracle/slack.ts"
import type { Random } from "./random.ts"
import type { Stalls } from "./Stalls.ts"
import { pause, pauseUnheld, untilTrue } from "./time.ts"
import { handInFor } from "./users/calls.ts"
import { flood, storm } from "./users/crowds.ts"
import { user } from "./users/user.ts"
import { Watch } from "./Watch.ts"
import { isRunning, type Children } from "./world/children.ts"
import type { EchoServer } from "./world/EchoServer.ts"
import { HostileStore } from "./world/HostileStore.ts"
import { ballast } from "./world/policy.ts"
import type { KindName, Scene, Site } from "./world/Scene.ts"
import { makeSite } from "./world/site.ts"

/** What outlives a round. */
export interface Ground {
  readonly random: Random
  readonly tally: Tally
  readonly trace: Trace
  readonly stalls: Stalls
  readonly children: Children
  readonly server: EchoServer
  /** For files of the run. */
  readonly folder: string
}
export interface RoundResult {
  readonly tasks: number
  readonly generations: number
  readonly leaked: number
  readonly found: ReadonlyArray<Violation>
  readonly answers: ReadonlyMap<string, number>
  readonly registries: ReadonlyArray<Held>
}

const users = 40
const databasesPerRound = 2

/** `now`: what is under way is told to whoever shows the progress. */
export const playRound = async (
  ground: Ground,
  number: number,
  ms: number,
  began: (scene: Scene) => void,
): Promise<RoundResult> => {
  const random = ground.random.fork("round", number)
  const book = new Book(number, ground.trace)
  ground.stalls.writeTo(book)
  const gates = new Gates(12)
  const scene: Scene = {
    book,
    random,
    tally: ground.tally,
    children: ground.children,
    server: ground.server,
    gates,
    stores: new Map([
      ["hostile", watched(book, "hostile", new HostileStore(random.fork("store"), ground.tally, gates))],
      ["file", watched(book, "file", fileStore({ directory: join(ground.folder, String(number)) }))],
    ]),
    sites: [],
    former: [],
    handIn: (...of) => handIn(...of),
    databases: databasesPerRound,
  }
  const handIn = handInFor(scene)
  const kinds: Array<KindName> = ["memory", "child", "socket"]
  // The dearest kind takes part now and then: it stops this thread for a second or two each time.
  if (number % 3 === 1) kinds.push("database")
  for (const kind of kinds) scene.sites.push(makeSite(scene, kind, kind, random.fork("policy", kind)))
  began(scene)

  const watch = new Watch(scene, ground.stalls)
  let over = false
  try {
    await Promise.race([play(scene, ms), somethingFound(book, () => over)])
  } finally {
    over = true
    watch.stop()
    scene.gates.letGo()
    ground.stalls.writeTo(undefined)
  }
  for (const { record, sessions } of [...scene.sites, ...scene.former]) record.quiet = sessions.snapshot()
  return {
    tasks: book.calls.length,
    generations: book.lives.length,
    leaked: book.sites.reduce((sum, { drained }) => sum + (drained?.counts.leaked ?? 0), 0),
    // What was seen at the moment explains more than its consequences do.
    found: book.found.length > 0 ? book.found : judge(book),
    answers: answersOf(book),
    registries: [...scene.sites, ...scene.former].map(({ record, sessions }) => ({
      name: record.name,
      ref: new WeakRef(sessions),
    })),
  }
}

const play = async (scene: Scene, ms: number): Promise<void> => {
  const { former, gates, random, sites } = scene
  await letLoose(scene, ms)
  await Promise.all(sites.map((site) => drain(scene, site, random.pick([0, 50, 300, 1000]))))
  await untilTrue(() => former.every(({ record }) => record.drained !== undefined), 20_000)
  gates.letGo()
  await becomeQuiet(scene)
}
/** Where a promise is never told, the round would wait for ever too: a moment after the first finding it is over. */
const somethingFound = async ({ found }: Book, over: () => boolean): Promise<void> => {
  while (found.length === 0 && !over()) await pauseUnheld(250)
  await pauseUnheld(500)
}

/** A session is not closed before its store has answered: that is written down too. */
const watched = (book: Book, name: string, { load, remove, save, setAside }: SessionStore): SessionStore => ({
  load: (key) => book.storeOp(name, key, load(key)),
  save: (key, state, version) => book.storeOp(name, key, save(key, state, version)),
  remove: (key) => book.storeOp(name, key, remove(key)),
  setAside: (key, version) => book.storeOp(name, key, setAside?.(key, version)),
})

const letLoose = async (scene: Scene, ms: number): Promise<void> => {
  const { book, random } = scene
  const began = performance.now()
  // While a database is opened nobody else gets on: the round lasts that much longer, up to a limit.
  const lasted = (): number => performance.now() - began - Math.min(2 * ms, stalled(book, began, Infinity))
  const goOn = (): boolean => lasted() < ms && book.found.length === 0
  const all = Array.from({ length: users }, (_, index) => user(scene, random.fork("user", index), goOn))
  const planned = [weighDown(scene, ms), useDatabase(scene, goOn), floodOne(scene, ms)]
  await pause((ms * random.between(30, 60)) / 100)
  if (goOn()) replaceOne(scene)
  await Promise.all([...all, ...planned])
}

const floodOne = async (scene: Scene, ms: number): Promise<void> => {
  const { random, sites } = scene
  await pause((ms * random.between(5, 25)) / 100)
  const site = random.pick(sites)
  if (site !== undefined) await flood(scene, site, random.fork("flood"))
}

/** It is rare and lives briefly: users alone would seldom meet it. */
const useDatabase = async (scene: Scene, goOn: () => boolean): Promise<void> => {
  const site = scene.sites.find(({ kind }) => kind === "database")
  if (site === undefined) return
  while (goOn()) {
    await pause(50)
    const [resource] = site.live
    if (resource === undefined) continue
    for (let asked = 0; asked < 8; asked++) {
      const body = { steps: [{ is: "ask", text: `planned ${asked}` }], end: "value" } as const
      await scene.handIn(site, resource.life.key, { body }, scene.random.fork("planned", asked))
    }
    return resource.harm()
  }
}

/** Fills the heap beyond the watermark of a registry that has one, for longer than it takes to notice. */
const weighDown = async (scene: Scene, ms: number): Promise<void> => {
  if (!scene.sites.some((site) => site.watchesHeap)) return
  await pause((ms * scene.random.between(10, 40)) / 100)
  scene.tally.fire("heap is above its watermark")
  const weight = ballast()
  await pause(1500)
  // Used after the pause, so that it is held until then.
  if (weight.length === 0) throw new Error("there was no ballast")
  globalThis.gc?.()
}

/** A registry is drained while it is used, and another takes its place at once. */
const replaceOne = (scene: Scene): void => {
  const { random, sites, tally } = scene
  // Every third time the backend of the new one is out at first, for all of its keys.
  const outage = scene.book.number % 3 === 2
  const kind = outage ? "memory" : random.pick(["memory", "socket", "child"] as const)
  const old = sites.find((site) => site.kind === kind)
  if (old === undefined) return
  tally.fire("registry is drained under load")
  const next = makeSite(scene, kind, `${kind}'`, random.fork("policy", kind, 2))
  sites.splice(sites.indexOf(old), 1, next)
  if (outage) {
    next.outageUntil = performance.now() + 700
    void storm(scene, next, random.fork("storm"))
  }
  scene.former.push(old)
  void drain(scene, old, random.pick([0, 100, 500, 1500]))
}

const drain = async (scene: Scene, site: Site, within: number): Promise<void> => {
  const { book, random, tally } = scene
  const { record, sessions } = site
  site.drainAsked = true
  const asked = (finishWithin: number): Promise<void> =>
    answered(book, book.ask("drain", record, "", finishWithin), settled(sessions.drain({ finishWithin })))
  const first = asked(within)
  if (random.chance(0.4)) {
    await pause(random.between(1, 200))
    tally.fire("registry is drained twice")
    await asked(random.pick([0, 0, 3000]))
  }
  await first
  record.drainedAt = book.moment().tick
  record.drained = sessions.snapshot()
}
const answered = async (book: Book, ask: Ask, told: Promise<Told>): Promise<void> =>
  book.answer(ask, await told)

/** Everything that was let go ends, and everybody is told. */
const becomeQuiet = async (scene: Scene): Promise<void> => {
  const { book, server } = scene
  const since = performance.now()
  const left = (): ReturnType<typeof whatIsLeft> => whatIsLeft(scene)
  while (left() !== undefined && book.found.length === 0) {
    await pause(20)
    if (performance.now() - since < slack * 2 + stalled(book, since, Infinity)) continue
    const { about, what } = left() ?? { what: "something goes on" }
    return book.violated("told", `${what} long after everything was let go`, about)
  }
  if (book.found.length > 0) return
  // The operating system is asked, and the other end of each connection.
  const pids = book.lives.flatMap(({ children }) => children.map(({ pid }) => pid))
  if (!(await untilTrue(() => !pids.some(isRunning), slack * 2)))
    book.violated("resources", `children ${pids.filter(isRunning).join(", ")} are still running`)
  if (!(await untilTrue(() => server.sockets.size === 0, slack * 2)))
    book.violated("resources", `still open at the server: ${server.openConnections().join(", ")}`)
}

const whatIsLeft = ({ book }: Scene): { readonly what: string; readonly about?: string } | undefined => {
  const [call] = book.open
  if (call !== undefined) {
    const name = "starts" in call ? callName(call) : askName(call)
    return {
      what: `${book.open.size} calls and questions are open, ${name} is`,
      about: place(call.site, call.key),
    }
  }
  const body = book.calls.find(({ ends, starts }) => ends.length < starts.length)
  if (body !== undefined)
    return { what: `the body of ${callName(body)} runs`, about: place(body.site, body.key) }
  for (const life of book.lives) {
    const held = heldBy(life)
    if (held !== undefined)
      return { what: `${held} of ${lifeName(life)} goes on`, about: place(life.site, life.key) }
  }
  const site = book.sites.find(({ heard }) => {
    const leaked = heard.filter(({ event }) => event._tag === "Closed" && event.leaked).length
    return heard.filter(({ event }) => event._tag === "LeakEnded").length < leaked
  })
  return site === undefined ? undefined : { what: `a leak of ${site.name} has not ended` }
}
const heldBy = ({ children, openEnded, pieces, probes, saves }: Life): string | undefined => {
  if (openEnded === undefined) return "the opening"
  if (probes.some(({ ended }) => ended === undefined)) return "a probe"
  if (saves.some(({ ended }) => ended === undefined)) return "a save"
  const child = children.find(({ exited }) => exited === undefined)
  if (child !== undefined) return `the child ${child.pid}`
  const piece = pieces.find(
    ({ registered, released, what }) =>
      (registered === undefined && what === "late") || (registered !== undefined && released === undefined),
  )
  return piece === undefined ? undefined : `the ${piece.what} ${piece.number}`
}

/** What callers were told, by tag and reason: a picture of the run. */
const answersOf = (book: Book): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const { told } of [...book.calls, ...book.asks]) {
    if (told === undefined) continue
    const { value } = told
    const ours = typeof value === "object" && value !== null && "_tag" in value && "reason" in value
    const name = told.fulfilled
      ? "succeeded"
      : ours
        ? `${String(value._tag)} ${String(value.reason)}`
        : "its own error, or its caller's reason"
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  for (const { heard } of book.sites) {
    for (const { event } of heard) {
      if (event._tag !== "Closed") continue
      const name = `closed ${event.reason}`
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  }
  return counts
}
