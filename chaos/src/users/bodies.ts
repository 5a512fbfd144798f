/** Runs a plan as the body of a task, and writes down what the body itself sees. */
import { SessionMisuse, type Task } from "@sojourn/core"
import { callName, place } from "../book/names.ts"
import { settled } from "../book/Book.ts"
import type { Call } from "../book/types.ts"
import type { Random } from "../random.ts"
import { aborted, pause, pauseHeeding } from "../time.ts"
import { hold } from "../world/pieces.ts"
import type { Resource, Scene, Site } from "../world/Scene.ts"
import { callAnother, callBehind, callOwn } from "./nested.ts"
import type { BodyPlan, Hang, Step } from "./plans.ts"

/** What a body returns: nobody else has this very object. */
export interface Answer {
  readonly call: number
}

/** Where a body is: everything its steps need. */
interface Here {
  readonly scene: Scene
  readonly site: Site
  readonly call: Call
  readonly resource: Resource
  readonly task: Task
  readonly random: Random
}

export const bodyOf =
  (scene: Scene, site: Site, call: Call, plan: BodyPlan, random: Random) =>
  (resource: Resource, task: Task): Answer | Promise<Answer> => {
    const { book, tally } = scene
    book.start(call, resource.life, task.signal)
    if (call.starts.length > 1) tally.fire("task is started once more")
    if (plan.end === "throw at once") {
      tally.fire("task throws synchronously")
      const error = new Error(`${call.number} threw at once`)
      book.end(call, false, error)
      throw error
    }
    const answer: Answer = { call: call.number }
    if (plan.end === "value at once") {
      book.end(call, true, answer)
      return answer
    }
    return (async () => {
      try {
        const here: Here = { scene, site, call, resource, task, random }
        for (const step of plan.steps) await take(here, step)
        if (plan.end === "throw") {
          tally.fire("task throws")
          throw new Error(`${call.number} threw`)
        }
        book.end(call, true, answer)
        return answer
      } catch (error) {
        book.end(call, false, error)
        throw error
      }
    })()
  }

const take = async (here: Here, step: Step): Promise<unknown> => {
  const { call, random, resource, scene, site, task } = here
  const { fire } = scene.tally
  switch (step.is) {
    case "ask":
      return resource.ask(`${call.number} ${step.text}`, task.signal)
    case "pause":
      return pauseHeeding(step.ms, task.signal)
    case "hang":
      return hang(here, step.how, step.ms)
    case "progress":
      return use(here, () => {
        task.progress(`step of ${call.number}`)
        scene.book.sign(call)
      })
    case "broken":
      fire("task declares the resource broken")
      return breakIt(here)
    case "harm":
      return resource.harm()
    case "close":
      fire("task closes its session")
      return use(here, () => {
        task.close()
        call.closes = true
      })
    case "restart":
      fire("task restarts its session")
      return use(here, () => task.restart())
    case "closeInside":
      return closeInside(here)
    case "acquire":
      fire("task acquires for its session")
      return hold(scene, site, resource.opening, resource.life, random)
    case "background":
      return background(here, step.how)
    case "nested":
      switch (step.where) {
        case "own":
          fire("task calls its own session")
          return callOwn(scene, site, call, "queue", random)
        case "beside":
          fire("task calls beside its own turn")
          return callOwn(scene, site, call, "overlap", random)
        case "behind":
          fire("task calls behind its own turn")
          return callBehind(scene, site, call, random)
        case "other":
          fire("task calls another session")
          return callAnother(scene, site, { call, sameSite: true }, random)
        case "elsewhere":
          fire("task calls another registry")
          return callAnother(scene, site, { call }, random)
      }
  }
}

const breakIt = ({ call, resource, scene, task }: Here): void => {
  const cause = new Error(`broken by ${call.number}`)
  scene.book.declare(resource.life, cause)
  task.broken(cause)
}

/** A task's own functions throw once it is over, and only then. */
const use = ({ call, scene }: Here, what: () => void): void => {
  try {
    what()
  } catch (error) {
    if (
      call.starts.at(-1)?.stopSeen === undefined &&
      !(error instanceof SessionMisuse && error.reason === "TaskEnded")
    )
      scene.book.violated(
        "outcomes",
        `a function of ${callName(call)} threw ${String(error)}`,
        place(call.site, call.key),
      )
    throw error
  }
}

const hang = async ({ call, scene, task }: Here, how: Hang, ms: number): Promise<void> => {
  const { gates, tally } = scene
  switch (how) {
    case "heeding":
      tally.fire("task hangs until it is told to stop")
      await aborted(task.signal)
      throw new Error(`${call.number} was told to stop`)
    case "heeding, then a value":
      await aborted(task.signal)
      tally.fire("task returns a value after it was told to stop")
      return
    case "deaf for a while":
      tally.fire("task hangs for a while and ignores its signal")
      return pause(ms)
    default:
      if (!gates.take()) return
      tally.fire("task hangs until let go")
      return gates.wait()
  }
}

/** It would wait for its own turn: refused at once, and nothing is closed. */
const closeInside = async ({ call, scene, site, resource }: Here): Promise<void> => {
  scene.tally.fire("task closes its session from inside")
  const ask = scene.book.ask("close", site.record, call.key, 0, call)
  scene.book.answer(ask, await settled(site.sessions.close(resource.opening)))
}

const background = ({ call, random, scene, site, task }: Here, how: "works" | "throws" | "hangs"): void => {
  const { book, tally } = scene
  tally.fire("task works in the background")
  const work = async (own: Task, behind: Call): Promise<void> => {
    if (how === "throws") {
      tally.fire("background work throws")
      throw new Error(`background ${behind.number} threw`)
    }
    await pauseHeeding(random.between(1, 150), own.signal)
    if (how !== "hangs") return
    tally.fire("background work hangs")
    await pause(random.between(100, 900))
  }
  task.background("background", (own) => {
    const behind = book.call("background", site.record, call.key, { parent: call, detach: true }, "overlap")
    const life = call.starts.at(-1)?.life
    if (life !== undefined) book.start(behind, life, own.signal)
    return work(own, behind).then(
      () => book.end(behind, true, undefined),
      (error: unknown) => {
        book.end(behind, false, error)
        throw error
      },
    )
  })
}
