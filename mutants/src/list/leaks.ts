import { both, edit, type Group } from "../Mutant.ts"

export const leaks: Group = {
  title: "Leaks",
  mutants: [
    {
      name: "onLeak wait ignored",
      laws: ["L3", "L13"],
      edits: [
        edit(
          "session/Closing.ts",
          `if (leaked && registry.policy.onLeak === "wait") {`,
          `if (leaked && registry.policy.onLeak === "wait" && cold.abandoned < 0) {`,
        ),
      ],
      tests: both("leaks"),
    },
    {
      name: "maxLeaked ignored",
      laws: ["L9"],
      edits: [
        edit(
          "registry/Seats.ts",
          `return closing.leaked >= policy.maxLeaked ? "MaxLeaked" : undefined`,
          `return closing.leaked > Infinity ? "MaxLeaked" : undefined`,
        ),
      ],
      tests: both("maxLeaked"),
    },
    {
      name: "the line is not looked at when a leak ends",
      laws: ["L9"],
      edits: [
        edit(
          "session/Closing.ts",
          `      // Who waits because too many have leaked is looked at again.
      this.#registry.steps.dirty = true\n`,
          "",
        ),
      ],
      tests: both("maxLeaked"),
    },
    {
      name: "a drain ends over an admitted call that waits for a leak",
      laws: ["L14", "L22"],
      edits: [
        edit(
          "registry/Draining.ts",
          "    if (registry.closing.shut > 0 && isWaitedForAtLeak(registry.sessions.values())) return\n",
          "",
        ),
      ],
      tests: both("leaksDrain"),
    },
    {
      name: "a lost generation is replaced beyond maxLeaked",
      laws: ["L3", "L9"],
      edits: [
        edit(
          "session/Closing.ts",
          "seated: session.seated && seats.shut === undefined",
          "seated: session.seated",
        ),
      ],
      tests: both("maxLeaked"),
    },
    {
      name: "a back-off that is over opens beyond maxLeaked",
      laws: ["L9", "L10"],
      edits: [
        edit(
          "session/Opening.ts",
          "    if (this.#registry.seats.shut === undefined) this.#open(session)\n",
          "    if (session.seated) this.#open(session)\n",
        ),
      ],
      tests: both("maxLeaked", "maxHeap"),
    },
  ],
}
