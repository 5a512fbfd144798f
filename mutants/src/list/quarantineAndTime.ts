import { both, edit, type Group } from "../Mutant.ts"

export const quarantineAndTime: Group = {
  title: "Quarantine and time",
  mutants: [
    {
      name: "quarantine: waiters let in",
      laws: ["L11"],
      edits: [
        edit(
          "registry/HandIn.ts",
          `if (state === "Quarantined" && now < cold.until) {`,
          `if (state === "Quarantined" && now < 0) {`,
        ),
        edit(
          "registry/HandIn.ts",
          `if (state === "Stopping" && session.next === "quarantine") {`,
          `if (state === "Stopping" && session.next === "quarantine" && now < 0) {`,
        ),
      ],
      tests: both("quarantine"),
    },
    {
      name: "stall not credited",
      laws: ["L13", "L23"],
      edits: [edit("time/LoopTime.ts", "    this.stalled += late\n", "")],
      tests: both("clocks", "hangs"),
    },
    {
      name: "nested call counted as silence",
      laws: ["L22", "L23"],
      edits: [
        edit(
          "task/Hangs.ts",
          `    if (task.state === "running" && task.waitsForOthers) registry.turns.progress(task)\n`,
          "",
        ),
      ],
      tests: both("hangs", "clocks"),
    },
    {
      name: "nested call counted as silence once it has ended",
      laws: ["L22", "L23"],
      edits: [
        edit(
          "task/Answers.ts",
          `      if (parent.task?.state === "running") parent.task.registry.turns.progress(parent.task)\n`,
          "",
        ),
      ],
      tests: both("hangs", "clocks"),
    },
  ],
}
