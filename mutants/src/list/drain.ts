import { both, edit, type Group } from "../Mutant.ts"

export const drain: Group = {
  title: "Drain",
  mutants: [
    {
      name: "ignores opens",
      laws: ["L14"],
      edits: [
        edit("registry/Draining.ts", `    if (!left) opening.giveUp(session, "Drained")\n`, ""),
        edit(
          "task/Waiters.ts",
          "if (session.cold?.eager !== true) registry",
          `if (session.cold?.eager !== true && registry.phase === "accepting") registry`,
        ),
      ],
      tests: both("drainStates", "drain"),
    },
    {
      name: "refuses nested calls",
      laws: ["L14", "L22"],
      edits: [
        edit(
          "registry/HandIn.ts",
          `return lease !== undefined || activeChain(frame).some((link) => link.kind !== "finalizer")`,
          "return lease !== undefined",
        ),
        edit(
          "registry/Draining.ts",
          `  task.bound !== undefined || activeChain(task.parent).some((link) => link.kind !== "finalizer")`,
          "  task.bound !== undefined",
        ),
      ],
      tests: both("drain"),
    },
    {
      name: "no cut",
      laws: ["L14"],
      edits: [
        edit(
          "registry/Draining.ts",
          `registry.timetable.at("drain", finishWithin, () => this.#cutAll())`,
          `registry.timetable.at("drain", finishWithin, () => {})`,
        ),
      ],
      tests: both("drain"),
    },
    {
      name: "second call only joins",
      laws: ["L14"],
      edits: [
        edit(
          "registry/Draining.ts",
          `    if (registry.phase === "accepting") this.#start(now)\n`,
          `    if (registry.phase !== "accepting") return
    this.#start(now)\n`,
        ),
      ],
      tests: both("drain"),
    },
  ],
}
