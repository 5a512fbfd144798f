import { both, edit, type Group } from "../Mutant.ts"

export const recycling: Group = {
  title: "Recycling",
  mutants: [
    {
      name: "recycled under a turn",
      laws: ["L8", "L12"],
      edits: [
        edit(
          "session/Recycling.ts",
          `closing.barrier(generation, "Recycled", "reopen", Infinity)`,
          `closing.begin(generation.session, "Recycled", "reopen")`,
        ),
      ],
      tests: both("recycling"),
    },
    {
      name: "leases do not delay a recycle",
      laws: ["L8"],
      edits: [
        edit(
          "session/Recycling.ts",
          "if ((cold.leases?.size ?? 0) === 0) return this.#retire(generation)",
          "if (cold.leases === undefined || cold.leases.size >= 0) return this.#retire(generation)",
        ),
      ],
      tests: both("recyclingLeases"),
    },
    {
      name: "leases delay a recycle for ever",
      laws: ["L8"],
      edits: [edit("session/Recycling.ts", "const leasesMayHold = 60_000", "const leasesMayHold = 2 ** 40")],
      tests: both("recyclingLeases"),
    },
    {
      name: "the last lease released does not let a recycle go on",
      laws: ["L8"],
      edits: [edit("task/Leases.ts", "    this.#registry.recycling.leaseEnded(generation)\n", "")],
      tests: both("recyclingLeases"),
    },
    {
      name: "recycled too late by one turn",
      laws: ["L8"],
      edits: [
        edit(
          "task/Turns.ts",
          "++generation.turns >= registry.policy.maxTurns",
          "++generation.turns > registry.policy.maxTurns",
        ),
      ],
      tests: both("recycling"),
    },
  ],
}
