import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { defineConfig } from "vitest/config"

const root = import.meta.dirname

/** Each package and each example that has a `test` folder, and the gates of the whole repository. */
const withTests = (group: string): ReadonlyArray<string> =>
  readdirSync(join(root, group))
    .map((name) => `${group}/${name}`)
    .filter((folder) => existsSync(join(root, folder, "test")))

export default defineConfig({
  test: {
    projects: [
      ...withTests("packages"),
      ...withTests("apps"),
      ...withTests("examples"),
      "bench",
      "chaos",
      "mutants",
      "test",
    ],
    reporters: ["default", "./test/support/tally-reporter.ts"],
    coverage: { provider: "v8", include: ["packages/*/src/**"], reporter: ["text", "html"] },
  },
})
