import react from "@vitejs/plugin-react"
import { defineConfig, type UserConfig } from "vite"

/**
 * What the page and the workbench share. Every address is relative, as the path it is mounted under is not known when it is
 * built; nothing is inlined, because `data:` is not allowed everywhere.
 */
export const shared: UserConfig = {
  base: "./",
  plugins: [react()],
  build: {
    target: "baseline-widely-available",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    emptyOutDir: true,
    license: { fileName: "licenses.md" },
    manifest: "manifest.json",
    reportCompressedSize: false,
  },
}

export default defineConfig({
  ...shared,
  root: import.meta.dirname,
  build: { ...shared.build, outDir: "dist/web" },
})
