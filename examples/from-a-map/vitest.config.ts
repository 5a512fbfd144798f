import { defineConfig } from "vitest/config"

// Real processes, and clocks that are theirs: on a busy machine they take their time to start.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 30_000, maxConcurrency: 3 } })
