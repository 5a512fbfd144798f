import { both, edit, type Group } from "../Mutant.ts"

export const outage: Group = {
  title: "Outage",
  mutants: [
    {
      name: "breaker never opens",
      laws: ["L11"],
      edits: [
        edit(
          "session/OutageBreaker.ts",
          "} else if (isOutage([this.#before, this.#current])) {",
          "} else if (isOutage([])) {",
        ),
      ],
      tests: both("outage"),
    },
    {
      name: "breaker never closes",
      laws: ["L11"],
      edits: [
        edit(
          "session/OutageBreaker.ts",
          `    this.#outage = undefined
    this.#current = emptyWindow()
    this.#before = emptyWindow()`,
          `    this.#outage.trial = undefined
    this.#current = emptyWindow()
    this.#before = emptyWindow()`,
        ),
      ],
      tests: both("outageTrials"),
    },
    {
      name: "breaker counts against keys",
      laws: ["L11"],
      edits: [
        edit(
          "registry/HandIn.ts",
          "    answers.openFailed(task, opening.outageError(session, refusal))\n",
          `    session.more.attempt++
    session.more.retryAt = now + refusal.retryAfter
    answers.openFailed(task, opening.outageError(session, refusal))\n`,
        ),
      ],
      tests: both("outage"),
    },
    {
      name: "breaker counts against keys that lost their generation",
      laws: ["L11"],
      edits: [
        edit(
          "session/Opening.ts",
          "    const error = this.outageError(session, refusal)\n",
          `    const error = this.outageError(session, refusal)
    session.more.attempt++
    session.more.retryAt = registry.time.now() + refusal.retryAfter\n`,
        ),
      ],
      tests: both("outageLost", "outageOthers"),
    },
    {
      name: "several trials at once",
      laws: ["L11"],
      edits: [
        edit(
          "session/OutageBreaker.ts",
          "if (outage.trial === undefined && now >= outage.until) return undefined",
          "if (now >= outage.until) return undefined",
        ),
      ],
      tests: both("outageTrials"),
    },
    {
      name: "a trial that was given up keeps the others out for ever",
      laws: ["L11"],
      edits: [
        edit(
          "session/OutageBreaker.ts",
          "    if (this.#outage?.trial === session) this.#outage.trial = undefined\n",
          "",
        ),
      ],
      tests: both("outageTrialsEnd"),
    },
    {
      name: "one owner's failures make an outage",
      laws: ["L11"],
      edits: [
        edit(
          "session/OutageBreaker.ts",
          "this.#current.failed.add(session.owner ?? session.key)",
          "this.#current.failed.add(session.key)",
        ),
      ],
      tests: both("outage"),
    },
    {
      name: "who waited for the end of an outage is not opened when it is over",
      laws: ["L11"],
      edits: [edit("session/OutageBreaker.ts", "    return waiting\n", "    return nobody\n")],
      tests: both("outageOthers"),
    },
    {
      name: "somebody is evicted for an opening that would be refused",
      laws: ["L9", "L11"],
      edits: [
        edit(
          "registry/Seats.ts",
          "const outage = breaker.isOpen ? breaker.refusal(session, time.now()) : undefined",
          "const outage = breaker.isOpen ? breaker.refusal(session, Infinity) : undefined",
        ),
      ],
      tests: both("outageSeats"),
    },
  ],
}
