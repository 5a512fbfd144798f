/** One random schedule: a world, hostile users, and time, all from one seed. */
import { resolveKey } from "../../SessionKey.ts"
import { settle } from "../realTime.ts"
import { VirtualClock } from "../VirtualClock.ts"
import { Book, keyText, type Site } from "./Book.ts"
import { openAs } from "./openings.ts"
import { drawAsk, drawSetting, type Setting } from "./plans.ts"
import { probe } from "./probe.ts"
import { Random } from "./Random.ts"
import { checkEnd, checkSettled } from "./settled.ts"
import { evict } from "./supervision.ts"
import { siteOf, type Universe } from "./universe.ts"
import { ask } from "./users.ts"
import { drain, verb } from "./verbs.ts"
import type { Face, Policy } from "./world.ts"

export interface Outcome {
  readonly seed: number
  /** The first broken law, or undefined. */
  readonly broken: string | undefined
  readonly trace: ReadonlyArray<string>
}

/** A schedule that goes on for ever is one that went wrong. */
const mostWakes = 20_000

/** `fixed`: instead of what it draws. */
export const runSchedule = async (face: Face, seed: number, fixed: Policy = {}): Promise<Outcome> => {
  const random = new Random(seed)
  const drawn = drawSetting(random, seed)
  const setting = { ...drawn, policy: { ...drawn.policy, ...fixed } }
  const clock = new VirtualClock()
  const book = new Book(() => clock.now, face.face === "Effect face")
  const sites: Array<Site> = []
  const universe: Universe = { book, clock, sites, seed }
  const { keys, policy, ...rest } = setting
  book.note(`seed ${seed}: ${JSON.stringify(rest)} keys ${keys.map(keyText).join(" ")}`)
  book.note(JSON.stringify(policy))
  for (let index = 0; index < setting.registries; index++) sites.push(site(universe, face, setting, index))
  const strays = (error: unknown): void => book.broken(`L16 an unhandled rejection: ${String(error)}`)
  process.on("unhandledRejection", strays)
  try {
    await act(universe, setting, random)
    if (book.violations.length === 0) await letGo(universe, setting, random)
  } finally {
    process.off("unhandledRejection", strays)
  }
  return { seed, broken: book.violations[0], trace: book.lines }
}

const site = (universe: Universe, face: Face, setting: Setting, index: number): Site => {
  const world = face.world(
    setting.policy,
    (opening) => openAs(universe, setting, made, opening),
    universe.clock,
  )
  const { registry, sessions } = world
  const made: Site = { index, world, registry, sessions, drains: [], held: 0, depth: 0 }
  probe(universe.book, made)
  return made
}

const act = async (universe: Universe, setting: Setting, random: Random): Promise<void> => {
  const { book, clock, sites } = universe
  const more = random.fork(2)
  for (let count = 0; count < setting.actions && book.violations.length === 0; count++) {
    await pass(universe, setting, random)
    const dice = random.next()
    const where = siteOf(universe, random.below(setting.registries))
    const key = random.pick(setting.keys)
    if (setting.supervised && more.chance(0.08)) evict(universe, where, resolveKey(key).canonical)
    if (dice < 0.76) void ask(universe, drawAsk(random, setting, 0), undefined, false)
    else if (dice < 0.83) void verb(universe, "close", where, key, random.pick([0, 0, 500, 3_000]), undefined)
    else if (dice < 0.91) void verb(universe, "restart", where, key, random.pick([0, 0, 500]), undefined)
    else if (dice < 0.95) void verb(universe, "cancel", where, key, 0, undefined)
    else if (setting.drains) {
      void drain(universe, where, random.pick([0, 50, 1_000, 10_000]), undefined)
      if (random.chance(0.4))
        void clock.after(random.pick([1, 10, 700])).then(() => drain(universe, where, 0, undefined))
    }
    if (sites.some((each) => each.registry.phase === "drained")) break
  }
}

/** Time passes between two actions: none, a few microtasks, or up to twenty seconds; sometimes the loop stands still. */
const pass = async (universe: Universe, setting: Setting, random: Random): Promise<void> => {
  const { book, clock } = universe
  const dice = random.next()
  if (dice < 0.25) return
  if (dice < 0.45) {
    for (let count = random.below(6); count > 0; count--) await Promise.resolve()
    return
  }
  if (random.chance(setting.stall)) {
    const ms = 1_000 + random.below(7_000)
    book.note(`the loop stands still for ${ms}`)
    book.stalls.push({ at: clock.now + ms, ms })
    await settle()
    await clock.stall(ms)
  } else await advance(universe, random.pick([0, 1, 5, 50, 500, 500, 2_000, setting.hurry ? 50 : 20_000]))
  checkSettled(book, universe.sites)
}

/** One wake-up after another, so that what holds at each moment is seen. */
const advance = async (universe: Universe, ms: number): Promise<void> => {
  const { book, clock, sites } = universe
  const end = clock.now + ms
  for (let wakes = 0; book.violations.length === 0; wakes++) {
    if (wakes > mostWakes) return book.broken("L14 it never comes to rest")
    const next = Math.min(end, Math.max(clock.now, clock.nextAt))
    await clock.advance(next - clock.now)
    checkSettled(book, sites)
    if (clock.nextAt > end && clock.now >= end) return
  }
}

/** Everything ends: by itself, then by a drain; and nothing is left. */
const letGo = async (universe: Universe, setting: Setting, random: Random): Promise<void> => {
  const { book, sites } = universe
  if (random.chance(0.5)) {
    await advance(universe, 60_000)
    const { restart } = setting.policy
    const rebuilds = restart !== false && restart?.eager === true
    for (const { registry, index } of sites) {
      book.expect(
        rebuilds || registry.closing.inService === 0,
        `L8 generations of ${index} are in service though nobody uses them`,
      )
    }
  }
  for (const each of sites) void drain(universe, each, random.pick([0, 1_000]), undefined)
  await advance(universe, 60_000)
  // What is remembered of a key that failed is forgotten last.
  await advance(universe, 700_000)
  await settle()
  for (const each of sites) checkEnd(book, each)
}
