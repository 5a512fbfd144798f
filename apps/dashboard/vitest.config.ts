import { defineConfig } from "vitest/config"

// Its own, so that the page's vite.config.ts does not say where the tests are.
export default defineConfig({
  test: {
    name: "@sojourn/dashboard",
    root: import.meta.dirname,
    include: ["test/**/*.test.ts"],
    globalSetup: ["./test/browser/support/built.ts"],
    // Each file drives a browser of its own, which has several processes.
    maxWorkers: 2,
    testTimeout: 30_000,
  },
})
