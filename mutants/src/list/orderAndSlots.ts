import { both, edit, type Group } from "../Mutant.ts"

export const orderAndSlots: Group = {
  title: "Order and slots",
  mutants: [
    {
      name: "slot freed on cancel (overlap)",
      laws: ["L6"],
      edits: [
        edit(
          "task/Stops.ts",
          `    this.tellToStop(task, error, by, outer)
    if (session !== undefined && task.generation?.phase === "live") this.#registry.hangs.need(session)`,
          `    this.tellToStop(task, error, by, outer)
    if (session !== undefined && task.generation?.phase === "live") {
      this.#registry.turns.settle(task, task.generation)
      task.abandoned = true
      task.generation.more.abandoned++
      this.#registry.turns.pump(session)
    }`,
        ),
      ],
      tests: both("slots", "cancel"),
    },
    {
      name: "LIFO",
      laws: ["L6"],
      edits: [
        edit(
          "task/Turns.ts",
          "for (let task = session.queue?.first; task !== undefined; task = session.queue?.first) {",
          "for (let task = session.queue?.last; task !== undefined; task = session.queue?.last) {",
        ),
      ],
      tests: both("order"),
    },
    {
      name: "free slot not offered when a slot ends (lost wake-up)",
      laws: ["L6"],
      edits: [
        edit(
          "task/Turns.ts",
          "else if (live) this.pump(session, now)",
          "else if (live && session.waiting === 0) this.pump(session, now)",
        ),
      ],
      tests: both("order"),
    },
    {
      name: "grace without need (needless teardown)",
      laws: ["L6"],
      edits: [
        edit(
          "task/Hangs.ts",
          "if (session.waiting === 0 || generation.slotsTaken === 0) return false",
          "if (generation.slotsTaken === 0) return false",
        ),
        edit(
          "task/Hangs.ts",
          "if (!barrier && (session.queue === undefined || !full)) return false",
          "if (!barrier && !full) return false",
        ),
      ],
      tests: both("slots"),
    },
    {
      name: "hung turn not abandoned (session in use for ever)",
      laws: ["L13"],
      edits: [
        edit(
          "task/Hangs.ts",
          `if (generation.phase === "live") return this.#abandonAll(generation, [task])`,
          "",
        ),
      ],
      tests: both("hangs"),
    },
    {
      name: "told-clock restarted by a close (told late)",
      laws: ["L13"],
      edits: [
        edit(
          "task/Hangs.ts",
          `if (generation.phase === "live") return this.#abandonAll(generation, [task])`,
          `if (generation.phase === "live") return this.#abandonAll(generation, [task])
      if (Number.isFinite(registry.policy.timeouts.grace)) return`,
        ),
      ],
      tests: both("hangs"),
    },
    {
      name: "cut told at once (value returned, caller told interrupted)",
      laws: ["L5"],
      edits: [
        edit(
          "task/Stops.ts",
          "    this.tellToStop(task, this.#registry.answers.stopped(task, task.cut))",
          `    const told = this.#registry.answers.stopped(task, task.cut)
    this.#registry.answers.tell(task, outcomeOfStop(task.cut), told)
    this.tellToStop(task, told)`,
        ),
      ],
      tests: both("outcomes", "verbs", "moves"),
    },
    {
      name: "settle twice",
      laws: ["L5"],
      edits: [
        edit(
          "task/Answers.ts",
          `    if (task.outcome !== undefined) return
    const { extras, parent } = task`,
          "    const { extras, parent } = task",
        ),
      ],
      tests: both("outcomes", "slots"),
    },
    {
      name: "replayed turn rejected",
      laws: ["L5", "L12"],
      edits: [
        edit(
          "task/Answers.ts",
          `if (extras !== undefined && extras.replayed === true && outcome === "rejected") {`,
          `if (extras !== undefined && extras.replayed === true && outcome === "rejected" && task.number < 0) {`,
        ),
      ],
      tests: both("replayWaits"),
    },
  ],
}
