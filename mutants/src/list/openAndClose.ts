import { both, edit, type Group } from "../Mutant.ts"

export const openAndClose: Group = {
  title: "Open and close",
  mutants: [
    {
      name: "aborted open served",
      laws: ["L1"],
      edits: [
        edit(
          "session/Opening.ts",
          `      registry.timetable.drop(cold.openGrace)
      registry.closing.finalize(generation)`,
          `      registry.timetable.drop(cold.openGrace)
      if (opened) {
        generation.reason = undefined
        cold.unopened = false
        registry.setState(generation.session, "Opening")
        this.#live(generation, value)
      } else registry.closing.finalize(generation)`,
        ),
      ],
      tests: ["promise/givenUp.test.ts", ...both("opening", "waiters")],
    },
    {
      name: "new open before the aborted one ended (two)",
      laws: ["L3"],
      edits: [
        edit("session/Opening.ts", "const openGrace = 5_000", "const openGrace = 0"),
        edit("session/Closing.ts", "cold.openPending || cold.arriving > 0 ||", "cold.arriving > 0 ||"),
      ],
      tests: both("opening", "waiters", "neverTwo"),
    },
    {
      name: "waiters kept over a failed open (waiters in quarantine)",
      laws: ["L10"],
      edits: [
        edit(
          "session/Opening.ts",
          `    registry.waiters.refuseAll(session, (task) => registry.answers.openFailed(task, error))
    registry.events.lifecycle((stamp) => ({`,
          "    registry.events.lifecycle((stamp) => ({",
        ),
      ],
      tests: both("failedOpen"),
    },
    {
      name: "no back-off",
      laws: ["L10"],
      edits: [
        edit(
          "session/Opening.ts",
          "    if (wait <= 0) return this.#open(session)",
          "    if (wait < Infinity) return this.#open(session)",
        ),
      ],
      tests: both("failedOpen"),
    },
    {
      name: "finalizers parallel",
      laws: ["L4"],
      edits: [
        edit(
          "session/Closing.ts",
          `    this.#run(generation, finalizer, () => {
      timetable.drop(deadline)
      next()
    })`,
          `    this.#run(generation, finalizer, () => timetable.drop(deadline))
    next()`,
        ),
      ],
      tests: both("releasing"),
    },
    {
      name: "finalizers stopped by a throw",
      laws: ["L4"],
      edits: [
        edit(
          "session/Closing.ts",
          "      cold.errors.push(error)",
          `      cold.errors.push(error)
      cold.toRun.length = 0`,
        ),
      ],
      tests: both("releasing"),
    },
    {
      name: "finalizers stopped by a hang",
      laws: ["L4"],
      edits: [
        edit(
          "session/Closing.ts",
          `timetable.at("close", policy.timeouts.close / 3, () => next())`,
          `timetable.at("close", policy.timeouts.close / 3, () => {})`,
        ),
      ],
      tests: both("releasing"),
    },
    {
      name: "finalizers dropped when late",
      laws: ["L4", "L21"],
      edits: [
        edit(
          "session/Closing.ts",
          `    this.#run(generation, finalizer, () => {})
    this.#registry.steps.commit()`,
          "    this.#registry.steps.commit()",
        ),
      ],
      tests: both("fence"),
    },
    {
      name: "close without deadline",
      laws: ["L4"],
      edits: [
        edit(
          "session/Closing.ts",
          `registry.timetable.at("close", registry.policy.timeouts.close, () =>`,
          `registry.timetable.at("close", Infinity, () =>`,
        ),
      ],
      tests: both("releasing"),
    },
    {
      name: "close moves its queue",
      laws: ["L12", "L24"],
      edits: [
        edit(
          "session/Closing.ts",
          `        refuse()
        if (session.generation !== undefined)`,
          "        if (session.generation !== undefined)",
        ),
        edit(
          "session/Closing.ts",
          `} else if (session.next === "forget" && !toldBefore) {`,
          `} else if (session.next === "forget" && !toldBefore && generation.reason !== "Requested") {`,
        ),
      ],
      tests: both("moves", "verbs"),
    },
    {
      name: "close accepted inside its turn",
      laws: ["L7"],
      edits: [
        edit(
          "session/Closing.ts",
          "return isInside(currentFrame(), session)",
          "return isInside(undefined, session)",
        ),
      ],
      tests: both("reentry"),
    },
    {
      name: "restart gives its seat up",
      laws: ["L9"],
      edits: [
        edit(
          "session/lifecycle.ts",
          `if (facts.next === "reopen" && wanted && facts.seated) return "reopen"`,
          `if (facts.next === "reopen" && wanted && !facts.waitedFor && facts.seated) return "reopen"`,
        ),
      ],
      tests: both("seats"),
    },
  ],
}
