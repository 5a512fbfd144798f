import { both, edit, type Group } from "../Mutant.ts"

export const defects: Group = {
  title: "Mistakes of the engine",
  mutants: [
    {
      name: "defect passed on to a neighbour: what others put down in that step",
      laws: ["L16", "L20"],
      edits: [edit("registry/Steps.ts", "        this.#defect(error)\n", "        throw error\n")],
      tests: both("defects"),
    },
    {
      name: "defect passed on to a neighbour: the deadlines of that moment",
      laws: ["L20", "L23"],
      edits: [
        edit("time/Timetable.ts", "        this.#defect(error)\n", "        throw error\n"),
        edit("time/Timetable.ts", "\n      this.#defect(error)\n", "\n      throw error\n"),
      ],
      tests: both("defects"),
    },
    {
      name: "defect passed for the task's own failure",
      laws: ["L17"],
      edits: [
        edit(
          "registry/HandIn.ts",
          "error instanceof SessionMisuse ? error : registry.defect(error, task.session)",
          "error",
        ),
      ],
      tests: both("defects"),
    },
    {
      name: "defect passed on to a neighbour: what ends a task",
      laws: ["L17", "L20"],
      edits: [
        edit(
          "task/Turns.ts",
          '      registry.answers.tell(task, "rejected", registry.defect(error, task.session))\n',
          "      throw error\n",
        ),
      ],
      tests: both("defects"),
    },
    {
      name: "defect passed on to a neighbour: what ends an opening",
      laws: ["L10", "L20"],
      edits: [
        edit(
          "session/Opening.ts",
          "      const told = registry.defect(error, generation.session)\n",
          "      if (error !== undefined) throw error\n      const told = registry.defect(error, generation.session)\n",
        ),
      ],
      tests: both("defects"),
    },
    {
      name: "defect passed on to a neighbour: what comes after a promise",
      laws: ["L4", "L20"],
      edits: [
        edit(
          "registry/Registry.ts",
          "      this.defect(error)\n    }\n    this.steps.commit()",
          "      throw error\n    }\n    this.steps.commit()",
        ),
      ],
      tests: both("defects"),
    },
  ],
}
