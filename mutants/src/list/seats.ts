import { both, edit, type Group } from "../Mutant.ts"

const offered = `if (registry.seats.waiting > 0) registry.steps.dirty = true`

export const seats: Group = {
  title: "Seats",
  mutants: [
    {
      name: "no offer when a seat is given back",
      laws: ["L9"],
      edits: [
        edit(
          "registry/Registry.ts",
          `        this.seats.offer()
        this.draining.check()`,
          "        this.draining.check()",
        ),
        edit(
          "task/Turns.ts",
          offered,
          "if (registry.seats.waiting > 0) registry.steps.after(() => registry.seats.offer())",
        ),
      ],
      tests: both("seats"),
    },
    {
      name: "no offer when a session becomes idle",
      laws: ["L9"],
      edits: [edit("task/Turns.ts", offered, "")],
      tests: both("seats"),
    },
    {
      name: "leaked keeps its seat",
      laws: ["L9"],
      edits: [
        edit(
          "session/Closing.ts",
          "    if (leaked) this.leaked++\n",
          "    if (leaked) this.leaked++\n    if (leaked) registry.seats.taken++\n",
        ),
        edit(
          "session/Closing.ts",
          "      this.leaked--\n",
          "      this.leaked--\n      this.#registry.seats.taken--\n",
        ),
      ],
      tests: both("seats"),
    },
    {
      name: "full tenant blocks the line",
      laws: ["L9"],
      edits: [
        edit(
          "registry/Seats.ts",
          "      if (victim === undefined) continue",
          "      if (victim === undefined) return",
        ),
        edit(
          "registry/Seats.ts",
          "        this.#carryOut(session, decision, counted)\n        continue",
          `        this.#carryOut(session, decision, counted)
        if (decision === "skip") return
        continue`,
        ),
      ],
      tests: both("seats"),
    },
    {
      name: "one eviction too many",
      laws: ["L9"],
      edits: [
        edit("registry/admission.ts", `return facts.coming > 0 ? "wait" : "evict"`, `return "evict"`),
        edit(
          "registry/admission.ts",
          `return facts.ownerComing > 0 ? "skip" : "evictOwn"`,
          `return "evictOwn"`,
        ),
      ],
      tests: both("seats"),
    },
  ],
}
