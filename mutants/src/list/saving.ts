import { both, edit, type Group } from "../Mutant.ts"

export const saving: Group = {
  title: "Saved state",
  mutants: [
    {
      name: "save without version (an acknowledged state is lost)",
      laws: ["L25"],
      edits: [
        edit(
          "session/Saving.ts",
          "await this.store.save(session.key, state, cold.version)",
          "await this.store.save(session.key, state, (await this.store.load(session.key))?.version)",
        ),
      ],
      tests: both("storesSaving"),
    },
    {
      name: "restored although unreadable",
      laws: ["L25"],
      edits: [
        edit(
          "session/Saving.ts",
          `    if (stored.unreadable !== undefined) return this.#setAside(generation, "SnapshotUnreadable")\n`,
          "",
        ),
      ],
      tests: both("storesAside", "stores"),
    },
    {
      name: "restored again and again although it cannot be opened with",
      laws: ["L25"],
      edits: [edit("session/Saving.ts", "const tries = 2", "const tries = 2_000")],
      tests: both("storesAside"),
    },
    {
      name: "state saved from a broken generation",
      laws: ["L25"],
      edits: [
        edit(
          "session/Closing.ts",
          "if (save === undefined || !orderly.has(reason) || cold.abandoned > 0 || cold.forgets) return",
          "if (save === undefined || forgetting.has(reason) || cold.abandoned > 0 || cold.forgets) return",
        ),
      ],
      tests: both("storesSaving", "saving"),
    },
    {
      name: "state saved from a generation with an abandoned turn",
      laws: ["L25"],
      edits: [
        edit(
          "session/Closing.ts",
          "!orderly.has(reason) || cold.abandoned > 0 || cold.forgets) return",
          "!orderly.has(reason) || cold.forgets) return",
        ),
      ],
      tests: both("storesSaving", "saving"),
    },
    {
      name: "forget not awaited by the close",
      laws: ["L24", "L25"],
      edits: [
        edit(
          "session/Saving.ts",
          "if (this.#isOurs) void this.store.remove(key)",
          "if (this.#isOurs || key !== undefined) void this.forget(key)",
        ),
      ],
      tests: both("storesForget"),
    },
    {
      name: "forget not awaited by the next opening",
      laws: ["L24", "L25"],
      edits: [edit("session/Saving.ts", "      this.#removals.set(key, done)\n", "")],
      tests: both("storesForget"),
    },
    {
      name: "close does not forget",
      laws: ["L24", "L25"],
      edits: [
        edit(
          "session/Closing.ts",
          "if (forgetting.has(reason) || cold.forgets) registry.saving.planForget(generation)",
          "if (cold.unopened) registry.saving.planForget(generation)",
        ),
      ],
      tests: both("storesForget", "saving"),
    },
    {
      name: "what is being written when a close arrives stays",
      laws: ["L24", "L25"],
      edits: [
        edit(
          "session/Saving.ts",
          "      if (cold.forgets) await this.#takeBack(generation, version)\n      else if (",
          "      if (",
        ),
      ],
      tests: both("storesForgetLate"),
    },
    {
      name: "a late forget takes what a later generation has saved",
      laws: ["L21", "L25"],
      edits: [
        edit(
          "session/Saving.ts",
          "    if (version === undefined) return\n    const { key }",
          "    const { key }",
        ),
        edit(
          "session/Saving.ts",
          "if (stored?.version === version) await",
          "if (stored !== undefined) await",
        ),
      ],
      tests: both("storesForgetLate"),
    },
    {
      name: "of two removals only the last is waited for",
      laws: ["L25"],
      edits: [edit("session/Saving.ts", "          () => before,\n", "          () => {},\n")],
      tests: both("storesForgetLate"),
    },
  ],
}
