import { both, edit, type Group } from "../Mutant.ts"

export const reentry: Group = {
  title: "Re-entry",
  mutants: [
    {
      name: "no check",
      laws: ["L7"],
      edits: [
        edit(
          "registry/HandIn.ts",
          `const verdict = nested ? reentry(session, frame, task) : "clear"`,
          `const verdict: string = "clear"`,
        ),
      ],
      tests: both("reentry", "graph"),
    },
    {
      name: "chain only, no graph",
      laws: ["L7"],
      edits: [
        edit(
          "task/reentry.ts",
          `return canEnter(session, ancestors, new Set()) ? "clear" : "deadlock"`,
          `return chain.some((link) => link.session === session) ? "deadlock" : "clear"`,
        ),
      ],
      tests: both("graph"),
    },
    {
      name: "one registry only",
      laws: ["L7"],
      edits: [
        edit(
          "task/reentry.ts",
          "const chain = activeChain(from)\n",
          "const chain = activeChain(from).filter((link) => link.session?.registry === session.registry)\n",
        ),
        edit(
          "task/reentry.ts",
          "if (call.outcome !== undefined || call.session === undefined) continue",
          `if (call.outcome !== undefined || call.session === undefined) continue
    if (call.session.registry !== frame.session.registry) continue`,
        ),
      ],
      tests: both("graph"),
    },
    {
      name: "chain outlives its turn",
      laws: ["L7"],
      edits: [edit("task/Turns.ts", "    task.frame?.end()\n", "")],
      tests: both("leftovers", "reentry"),
    },
    {
      name: "not looked at again after a lost slot",
      laws: ["L7"],
      edits: [edit("task/Hangs.ts", "    this.recheck(generation.session)\n", "")],
      tests: both("graph"),
    },
    {
      name: "not looked at again after a barrier",
      laws: ["L7"],
      edits: [edit("session/Closing.ts", "    registry.hangs.recheck(session)\n", "")],
      tests: both("recyclingEnds", "finishWithin"),
    },
    {
      name: "nested calls not ended with their caller",
      laws: ["L22"],
      edits: [
        edit(
          "task/Stops.ts",
          "      // The call may be another registry's: it takes its own step there.\n",
          "      if (call.number > 0) continue\n",
        ),
      ],
      tests: both("nested"),
    },
  ],
}
