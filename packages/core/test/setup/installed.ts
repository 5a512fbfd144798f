/**
 * Real applications in a folder of their own, with this package installed as JavaScript, as often as a test wants: Node
 * strips no types below node_modules.
 */
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { runNode, type Told } from "./run.ts"

const source = join(import.meta.dirname, "../../src")
const realEffect = realpathSync(join(import.meta.dirname, "../../node_modules/effect"))

export class Applications {
  readonly folder: string = realpathSync(mkdtempSync(join(tmpdir(), "sojourn-setup-")))

  constructor() {
    for (const path of globSync("**/*.ts", { cwd: source })) {
      const text = stripTypeScriptTypes(readFileSync(join(source, path), "utf8"))
      this.write(
        `built/dist/${path.replace(/\.ts$/, ".js")}`,
        text.replaceAll(/(from|import) ?(\(?)"(\.[^"]+)\.ts"/g, '$1 $2"$3.js"'),
      )
    }
    cpSync(join(source, "../package.json"), join(this.folder, "built/package.json"))
    // Found from every folder below that has none nearer.
    this.#link(realEffect, "node_modules/effect")
  }
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  write(path: string, content: string | object): void {
    const file = join(this.folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content))
  }
  /** A copy of this package; `path` is where its folder comes to be. */
  install(path: string): void {
    cpSync(join(this.folder, "built"), join(this.folder, path), { recursive: true })
  }
  link(to: string, path: string): void {
    this.#link(join(this.folder, to), path)
  }
  /** The `effect` that works; another one needs only a manifest, since it is never loaded. */
  linkEffect(path: string): void {
    this.#link(realEffect, path)
  }
  #link(to: string, path: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true })
    symlinkSync(to, join(this.folder, path), "junction")
  }
  run(path: string, env: Record<string, string> = {}): Promise<Told> {
    return runNode([join(this.folder, path)], env)
  }
}

export const effectVersion = (
  JSON.parse(readFileSync(join(realEffect, "package.json"), "utf8")) as { readonly version: string }
).version
