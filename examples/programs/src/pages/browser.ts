/** A browser to run: one you name, the one pinned in the lockfile, one that Playwright fetched, or one of the machine. */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { chromium } from "playwright-core"

interface Browser {
  readonly executablePath: string
  readonly args: Array<string>
  readonly env: Record<string, string>
}

/** Without its sandbox, which a container does not allow: visit only pages that you trust, or give the container no network. */
const args = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
]

/** Fails with the ways to get one. */
export const findBrowser = async (): Promise<Browser> => {
  const named = process.env["BROWSER_PATH"]
  if (named !== undefined) {
    if (!existsSync(named)) throw new Error(`BROWSER_PATH: there is no ${named}`)
    return browserAt(named)
  }
  if (process.platform === "linux" && process.arch === "x64") return pinned()
  const found = [chromium.executablePath(), ...ofTheMachine].find((path) => existsSync(path))
  if (found !== undefined) return browserAt(found)
  throw new Error(
    "No browser. Set BROWSER_PATH, run `npx playwright-core install chromium`, or install Chrome or Chromium.",
  )
}

const ofTheMachine = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
]

const browserAt = (executablePath: string, own: Readonly<Record<string, string>> = {}): Browser => {
  const env: Record<string, string> = { ...own }
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && env[name] === undefined) env[name] = value
  return { executablePath, args, env }
}

/** What `@sparticuz/chromium` carries, unpacked once. */
const pinned = async (): Promise<Browser> => {
  const folder = dirname(dirname(createRequire(import.meta.url).resolve("@sparticuz/chromium")))
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string }
  const home = join(import.meta.dirname, "../../node_modules/.cache", `chromium-${version}`)
  if (!existsSync(home)) await unpack(folder, home)
  const executablePath = join(home, "chromium")
  const own: Record<string, string> = {}
  // In a slim container, what it needs beside the C library comes with it.
  if (spawnSync(executablePath, ["--version"]).status !== 0) own["LD_LIBRARY_PATH"] = join(home, "al2023/lib")
  if (!existsSync("/etc/fonts/fonts.conf")) own["FONTCONFIG_PATH"] = join(home, "fonts")
  return browserAt(executablePath, own)
}

/** Aside, then renamed: several may do it at once, and one that is interrupted leaves nothing that looks complete. */
const unpack = async (folder: string, home: string): Promise<void> => {
  mkdirSync(dirname(home), { recursive: true })
  const fresh = mkdtempSync(`${home}-`)
  const before = process.env["TMPDIR"]
  // The package unpacks into the temporary folder of the moment.
  process.env["TMPDIR"] = fresh
  try {
    const { default: packed, inflate } = await import("@sparticuz/chromium")
    await Promise.all([packed.executablePath(), inflate(join(folder, "bin/al2023.tar.br"))])
    renameSync(fresh, home)
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    // Otherwise another process was first.
    if (!existsSync(home)) throw error
  } finally {
    if (before === undefined) delete process.env["TMPDIR"]
    else process.env["TMPDIR"] = before
  }
}
