import { defineConfig } from "vitest/config"

// Real processes: on a busy machine they take their time to start.
export default defineConfig({ test: { testTimeout: 30_000, hookTimeout: 30_000 } })
