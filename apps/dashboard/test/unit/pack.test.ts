/** The page as it is built: small enough, and whole in what a server is given of it. */
import { createHash } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { brotliDecompressSync, gunzipSync } from "node:zlib"
import { afterAll, describe, expect, it } from "vitest"
import { filesOf } from "../../scripts/files.ts"
import { firstLoad, mostGzipBytes } from "../../scripts/firstLoad.ts"
import { appFolder, workbenchFolder } from "../browser/support/built.ts"

describe("the files that are served", () => {
  const files = filesOf(appFolder)
  it("are all there, as they are", () => {
    expect(files.map(({ path }) => path)).toContain("index.html")
    expect(files.map(({ path }) => path)).not.toContain("manifest.json")
    for (const { path, brotli, gzip, bytes, etag } of files) {
      const content = readFileSync(join(appFolder, path))
      expect(brotliDecompressSync(brotli).equals(content)).toBe(true)
      expect(gunzipSync(gzip).equals(content)).toBe(true)
      expect(bytes).toBe(content.length)
      expect(etag).toBe(`"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`)
    }
  })
  it("may be kept for ever where their name has a hash, and only there", () => {
    for (const { path, immutable } of files)
      expect(immutable).toBe(/^assets\/[\w.-]+-[\w-]{8}\.\w+$/u.test(path))
    expect(files.filter(({ immutable }) => !immutable).map(({ path }) => path)).toEqual([
      "index.html",
      "licenses.md",
    ])
  })
  it("name the licences of what is in them", () => {
    const licences = readFileSync(join(appFolder, "licenses.md"), "utf8")
    for (const name of ["react", "react-dom", "lucide-react"]) expect(licences).toContain(`## ${name} - `)
  })
  it("ask for nothing of anybody else", () => {
    const own = /^(?:https?:\/\/)?(?:www\.w3\.org|react\.dev|lucide\.dev|github\.com|reactjs\.org)/u
    for (const { path } of files.filter(({ path: name }) => /\.(?:js|css|html|svg)$/u.test(name))) {
      const content = readFileSync(join(appFolder, path), "utf8")
      const addresses = [...content.matchAll(/https?:\/\/[\w.-]+/gu)].map(([address]) =>
        address.replace(/^https?:\/\//u, ""),
      )
      expect(addresses.filter((address) => !own.test(address))).toEqual([])
      expect(content).not.toMatch(/\beval\(|new Function\(/u)
    }
  })
})

describe("the first load", () => {
  it("is small enough, and so is the whole foundation with all its charts and the workbench", () => {
    const app = firstLoad(appFolder, ["src/pages/Config.tsx"])
    const all = firstLoad(workbenchFolder, [])
    console.info(
      `first load after gzip: the page ${app.gzipBytes} B, the whole foundation ${all.gzipBytes} B`,
    )
    expect(app.gzipBytes).toBeGreaterThan(50_000)
    expect(app.gzipBytes).toBeLessThanOrEqual(mostGzipBytes)
    expect(all.gzipBytes).toBeLessThanOrEqual(mostGzipBytes)
  })
  const folder = mkdtempSync(join(tmpdir(), "first-load-"))
  afterAll(() => rmSync(folder, { recursive: true }))
  it("counts what is needed directly or not, once, and nothing that is loaded later", () => {
    mkdirSync(join(folder, "assets"))
    const manifest = {
      "index.html": {
        file: "assets/a.js",
        isEntry: true,
        imports: ["b"],
        dynamicImports: ["later"],
        css: ["assets/a.css"],
      },
      b: { file: "assets/b.js", imports: ["index.html"] },
      later: { file: "assets/later.js", imports: ["b"], css: ["assets/later.css"] },
    }
    writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest))
    for (const name of [
      "index.html",
      "assets/a.js",
      "assets/b.js",
      "assets/a.css",
      "assets/later.js",
      "assets/later.css",
    ])
      writeFileSync(join(folder, name), name)
    const names = (pages: ReadonlyArray<string>) => Object.keys(firstLoad(folder, pages).files).toSorted()
    expect(names([])).toEqual(["assets/a.css", "assets/a.js", "assets/b.js", "index.html"])
    expect(names(["later"])).toContain("assets/later.css")
    expect(() => names(["gone"])).toThrow("gone")
  })
})
