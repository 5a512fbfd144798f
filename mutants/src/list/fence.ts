import { both, edit, type Group } from "../Mutant.ts"

const fenced = `    else if (generation.phase === "live")
      this.lose(generation, "Broken", cause, by === undefined ? "resource" : "task", by)`

export const fence: Group = {
  title: "Fence",
  mutants: [
    {
      name: "fence by number",
      laws: ["L21"],
      edits: [
        edit(
          "session/Supervision.ts",
          fenced,
          `    else {
      const current = this.#registry.sessions.get(generation.session.key)?.generation
      if (current?.phase === "live" && current.number === generation.number)
        this.lose(current, "Broken", cause, by === undefined ? "resource" : "task", by)
    }`,
        ),
      ],
      tests: both("fence", "losing"),
    },
    {
      name: "no fence",
      laws: ["L21"],
      edits: [
        edit(
          "session/Supervision.ts",
          fenced,
          `    else {
      const current = this.#registry.sessions.get(generation.session.key)?.generation
      if (current?.phase === "live")
        this.lose(current, "Broken", cause, by === undefined ? "resource" : "task", by)
    }`,
        ),
      ],
      tests: both("fence", "losing"),
    },
    {
      name: "no fence for what an abandoned turn returns (its slot is free twice)",
      laws: ["L21"],
      edits: [
        edit(
          "task/Turns.ts",
          `if (task.state === "ended") return this.#endedLate(task, generation)`,
          `if (task.state === "ended" && !task.abandoned) return this.#endedLate(task, generation)`,
        ),
      ],
      tests: both("hangs", "slots", "fence"),
    },
    {
      name: "break counted twice",
      laws: ["L11", "L21"],
      edits: [
        edit(
          "session/Supervision.ts",
          fenced,
          `${fenced}
    else {
      const kept = generation.session.more
      kept.failures = [...kept.failures, this.#registry.time.now()]
    }`,
        ),
      ],
      tests: both("fence", "losing"),
    },
  ],
}
