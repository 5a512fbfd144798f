/**
 * Tests against programs of the machine, which `pnpm test` does not need: `pnpm test:system`. Each says what it needs and
 * how to get it; none installs anything.
 */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["packages/*/system/**/*.system.ts"],
    reporters: ["default", "./test/support/tally-reporter.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // They start servers and measure in seconds: one file after the other.
    fileParallelism: false,
  },
})
