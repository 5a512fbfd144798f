/** A package's sources and tests in a temporary folder, where they may be broken. The package itself is never written to. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { applyEdits } from "./applyEdits.ts"
import type { Edit } from "./Mutant.ts"

const copied = /^(src|test|package\.json|tsconfig.*\.json|vitest\.config\..*)$/
/** The references of the repository's own tsconfig.json lead to packages that are not copied. */
const sharedSettings = /^tsconfig\..+\.json$/

export class PackageCopy {
  readonly folder: string
  readonly #root: string
  readonly #original = new Map<string, string>()

  /** `from`: a package two folders below the root of its workspace. */
  constructor(from: string) {
    this.#root = mkdtempSync(join(tmpdir(), "sojourn-mutants-"))
    const group = dirname(from)
    const workspace = dirname(group)
    this.folder = join(this.#root, basename(group), basename(from))
    mkdirSync(this.folder, { recursive: true })
    for (const name of readdirSync(workspace))
      if (sharedSettings.test(name)) cpSync(join(workspace, name), join(this.#root, name))
    for (const name of readdirSync(from))
      if (copied.test(name)) cpSync(join(from, name), join(this.folder, name), { recursive: true })
    this.#link(join(from, "node_modules"))
  }

  /** Each dependency by itself: what test runners keep in `node_modules` stays in the copy. */
  #link(modules: string): void {
    const own = join(this.folder, "node_modules")
    mkdirSync(own)
    for (const name of readdirSync(modules)) {
      if (!name.startsWith(".")) symlinkSync(join(modules, name), join(own, name), "junction")
    }
  }

  /** @throws DoesNotApply and nothing is changed */
  apply(edits: ReadonlyArray<Edit>): void {
    this.restore()
    const changed = new Map<string, string>()
    for (const [file, ofFile] of Map.groupBy(edits, (edit) => edit.file)) {
      const text = readFileSync(join(this.folder, file), "utf8")
      changed.set(file, applyEdits(text, ofFile))
      this.#original.set(file, text)
    }
    for (const [file, text] of changed) writeFileSync(join(this.folder, file), text)
  }
  restore(): void {
    for (const [file, text] of this.#original) writeFileSync(join(this.folder, file), text)
    this.#original.clear()
  }
  remove(): void {
    rmSync(this.#root, { recursive: true, force: true })
  }
}
