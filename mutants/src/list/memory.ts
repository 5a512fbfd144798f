import { both, edit, type Group } from "../Mutant.ts"

export const memory: Group = {
  title: "What is remembered",
  mutants: [
    {
      name: "history unbounded",
      laws: ["L18", "L26"],
      edits: [
        edit("observe/FlightRecorder.ts", "    if (facts.length > keptFacts) facts.shift()\n", ""),
        edit("observe/FlightRecorder.ts", "  return facts.slice(-keptFacts)\n", "  return facts\n"),
      ],
      tests: both("historyBounds"),
    },
    {
      name: "history unbounded: the chain of ends is never written down",
      laws: ["L26"],
      edits: [
        edit(
          "observe/FlightRecorder.ts",
          "const longestChain = keptFacts / 2",
          "const longestChain = Infinity",
        ),
      ],
      tests: both("historyBounds"),
    },
    {
      name: "ends unbounded",
      laws: ["L26"],
      edits: [
        edit("registry/Registry.ts", "const rememberedEnds = 1_000", "const rememberedEnds = Infinity"),
      ],
      tests: both("forgetting"),
    },
    {
      name: "keys without a generation kept without bound",
      laws: ["L26"],
      edits: [
        edit(
          "registry/Registry.ts",
          "const rememberedSessions = 10_000",
          "const rememberedSessions = Infinity",
        ),
      ],
      tests: both("forgetting"),
    },
    {
      name: "keys without a generation kept for ever",
      laws: ["L26"],
      edits: [
        edit(
          "registry/Registry.ts",
          `    this.timetable.list("forget", counts - now).add(session, now)\n`,
          "",
        ),
      ],
      tests: both("forgetting"),
    },
  ],
}
