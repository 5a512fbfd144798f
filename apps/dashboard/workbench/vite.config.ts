/** The workbench: every part of the dashboard on scripted data. For working on it and for its tests; not shipped. */
import { join } from "node:path"
import { defineConfig } from "vite"
import { shared } from "../vite.config.ts"

export default defineConfig({
  ...shared,
  root: import.meta.dirname,
  worker: { format: "es" },
  build: {
    ...shared.build,
    license: false,
    rolldownOptions: { input: ["index.html", "embed.html"].map((name) => join(import.meta.dirname, name)) },
    outDir: join(import.meta.dirname, "../node_modules/.cache/workbench"),
  },
})
