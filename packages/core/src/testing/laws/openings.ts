/** Hostile opens and finalizers. */
import type { Opening } from "../../Sessions.ts"
import type { Generation } from "../../session/Generation.ts"
import { lifeName, type Finalizer, type Life, type Site } from "./Book.ts"
import { drawAsk, drawOpen, type FinalizerPlan, type Setting } from "./plans.ts"
import { Random } from "./Random.ts"
import { checkRestored, giveProbe, giveSave } from "./supervision.ts"
import { abortOf, type Universe } from "./universe.ts"
import { ask } from "./users.ts"
import { verb } from "./verbs.ts"

/** Runs inside `open`, before the resource exists. */
export const openAs = async (
  universe: Universe,
  setting: Setting,
  site: Site,
  opening: Opening,
): Promise<void> => {
  const { book, clock } = universe
  const generation = site.registry.sessions.get(opening.key)?.generation
  if (generation === undefined) return book.broken(`L3 ${opening.key} opens without a generation`)
  const random = new Random(universe.seed).fork(site.index * 1_000 + generation.serial)
  const plan = drawOpen(random, setting)
  const life = book.life(site, generation, plan)
  book.note(`open ${lifeName(life)}: ${JSON.stringify(plan)}`)
  checkAlone(universe, life)
  checkRestored(universe, life, opening)
  if (plan.health !== undefined) giveProbe(universe, life, opening, plan.health)
  if (plan.saves) giveSave(universe, life, opening)
  const wornOut = (): void => {
    book.note(`${lifeName(life)} is declared broken`)
    life.declared = true
    opening.broken("worn out")
  }
  const givenUp = (): boolean => plan.honours && opening.signal.aborted
  const pause = (wait: Promise<unknown>): Promise<unknown> =>
    plan.honours ? Promise.race([wait, abortOf(opening.signal)]) : wait
  try {
    for (const step of plan.steps) {
      if (givenUp()) throw opening.signal.reason
      if (step.do === "sleep") await pause(clock.after(step.ms))
      else if (step.do === "ask") await pause(ask(universe, step.ask, life.holder, true))
      else if (step.do === "broken") opening.broken("bad from the start")
      else if (step.after === undefined)
        opening.onClose(finalizer(universe, setting, life, opening, step.plan))
      else void acquire(universe, setting, life, opening, step.plan, step.after)
    }
    if (plan.end === "fail") throw new Error(`open ${generation.serial} fails`)
    if (plan.end === "hang") await pause(new Promise(() => {}))
    if (plan.end === "late") await pause(clock.after(9_000))
    if (givenUp()) throw opening.signal.reason
    if (plan.brokenAfter !== undefined) void clock.after(plan.brokenAfter).then(wornOut)
    if (plan.endAfter !== undefined) void clock.after(plan.endAfter).then(() => opening.end())
  } finally {
    life.openEnded = true
    book.note(`open ${lifeName(life)} has ended`)
  }
  opening.onClose(finalizer(universe, setting, life, opening, "ok"))
}
/** L3: when one opens, every other of the key is gone; L10: and its back-off is over. */
const checkAlone = (universe: Universe, life: Life): void => {
  const { book, clock } = universe
  const { session } = life.generation
  for (const other of book.lives) {
    if (other === life || other.site !== life.site || other.key !== life.key) continue
    const mayStay = life.site.registry.policy.onLeak === "reopen" ? "leaked" : "closed"
    book.expect(
      other.generation.phase === "closed" || other.generation.phase === mayStay,
      () => `L3 ${lifeName(life)} opens while ${lifeName(other)} is ${other.generation.phase}`,
    )
  }
  book.expect(
    (session.cold?.retryAt ?? 0) <= clock.now,
    `L10 ${lifeName(life)} opens before its back-off is over`,
  )
  book.expect(
    (session.cold?.until ?? 0) <= clock.now,
    `L11 ${lifeName(life)} opens while its key is quarantined`,
  )
}

/** A resource that arrives later, perhaps too late: owned all the same. */
const acquire = async (
  universe: Universe,
  setting: Setting,
  life: Life,
  opening: Opening,
  plan: FinalizerPlan,
  after: number,
): Promise<void> => {
  try {
    // It is registered when it arrives, so that is when its place in the order is fixed.
    let release: (() => unknown) | undefined
    const arriving = universe.clock
      .after(after)
      .then(() => void (release = finalizer(universe, setting, life, opening, plan, true)))
    await opening.use(arriving, () => release?.())
  } catch {
    // Its opening was given up; it was released.
  }
}

const lateNow = (generation: Generation): boolean => generation.phase === "finalizing" || generation.gone

const finalizer = (
  universe: Universe,
  setting: Setting,
  life: Life,
  opening: Opening,
  plan: FinalizerPlan,
  arrived = false,
): (() => unknown) => {
  const { book, clock } = universe
  const entry: Finalizer = {
    number: life.finalizers.length,
    plan,
    late: lateNow(life.generation),
    arrived,
    registeredAt: clock.now,
    starts: 0,
    startedAt: Infinity,
    endedAt: undefined,
  }
  life.finalizers.push(entry)
  return () => {
    entry.starts++
    entry.startedAt = clock.now
    if (arrived && clock.now === entry.registeredAt) entry.late = true
    book.note(`finalizer ${lifeName(life)}/${entry.number} (${plan})`)
    checkOrder(universe, life, entry)
    const ended = (): void => {
      entry.endedAt = clock.now
    }
    if (plan === "throw") {
      ended()
      throw new Error(`finalizer ${entry.number}`)
    }
    if (plan === "ok") return ended()
    return carryOut(universe, setting, life, opening, entry).finally(ended)
  }
}

const carryOut = async (
  universe: Universe,
  setting: Setting,
  life: Life,
  opening: Opening,
  entry: Finalizer,
): Promise<void> => {
  const { clock } = universe
  const random = new Random(universe.seed).fork(-life.generation.serial * 100 - entry.number)
  switch (entry.plan) {
    case "sleep":
      return clock.after(100)
    case "slow":
      return clock.after(30_000)
    case "hang":
      return new Promise(() => {})
    case "run": {
      const wish = { ...drawAsk(random, setting, 3), detach: false }
      await ask(universe, wish, life.finalizerHolder, true)
      return
    }
    case "close":
      return verb(universe, "close", life.site, life.generation.session.ref, 0, life.finalizerHolder)
    case "register":
      // Too late for the order, but not for being released.
      return opening.onClose(finalizer(universe, setting, life, opening, "ok"))
    case "ok":
    case "throw":
  }
}

/** L4: once, in reverse order, each after the one before ended, failed or overran; forced ones at the close deadline. */
const checkOrder = (universe: Universe, life: Life, entry: Finalizer): void => {
  const { book, clock } = universe
  const { close } = life.site.registry.policy.timeouts
  const name = `${lifeName(life)}/${entry.number}`
  book.expect(entry.starts === 1, `L4 finalizer ${name} was started ${entry.starts} times`)
  const { finalizingSince } = life
  book.expect(finalizingSince !== undefined, `L4 finalizer ${name} started before its generation was closing`)
  if (entry.late || finalizingSince === undefined) return
  if (clock.now - finalizingSince >= close) return
  for (const other of life.finalizers) {
    if (other.late || other.number <= entry.number) continue
    // Which of them was registered first is for the microtasks to say.
    if (other.registeredAt === entry.registeredAt && (other.arrived || entry.arrived)) continue
    if (other.arrived && other.registeredAt >= finalizingSince) continue
    book.expect(other.starts === 1, `L4 finalizer ${name} started before ${other.number}`)
    const over = other.endedAt !== undefined || clock.now - other.startedAt >= close / 3
    book.expect(over, `L4 finalizer ${name} started while ${other.number} was running`)
  }
}
