/** Builds the page and the workbench as they are now, once, before any test. */
import { join } from "node:path"
import { build } from "vite"

const folder = join(import.meta.dirname, "../../..")

export const appFolder: string = join(folder, "node_modules/.cache/app")
export const workbenchFolder: string = join(folder, "node_modules/.cache/workbench")

export const setup = async (): Promise<void> => {
  // Vite takes it over into what it builds, and Vitest sets it to "test".
  const before = process.env["NODE_ENV"]
  process.env["NODE_ENV"] = "production"
  try {
    await Promise.all([
      build({ configFile: join(folder, "vite.config.ts"), logLevel: "warn", build: { outDir: appFolder } }),
      build({
        configFile: join(folder, "workbench/vite.config.ts"),
        logLevel: "warn",
        build: { outDir: workbenchFolder },
      }),
    ])
  } finally {
    if (before === undefined) delete process.env["NODE_ENV"]
    else process.env["NODE_ENV"] = before
  }
}
