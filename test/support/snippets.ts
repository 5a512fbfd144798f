/** Takes the code fences out of Markdown, type-checks them as one project and runs them one by one. */
import { spawn } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root, type SourceFile } from "./files.ts"

export interface Snippet {
  /** `README.md:12`: the first line of its code. */
  readonly name: string
  readonly page: string
  readonly line: number
  readonly code: string
  readonly use: "run" | "typecheck" | "fragment"
}

/** The words a fence may carry after `ts`. */
const uses = new Set(["typecheck", "fragment"])

/** The `ts` fences of a page. Throws on a word that means nothing here, so that a slip does not switch a check off. */
export const snippetsOf = ({ path, text }: SourceFile): ReadonlyArray<Snippet> => {
  const found: Array<Snippet> = []
  const lines = text.split("\n")
  for (let index = 0; index < lines.length; index += 1) {
    const open = /^([ \t]*)(`{3,}|~{3,})[ \t]*([^`]*)$/.exec(lines[index] ?? "")
    if (open === null) continue
    const [, indent = "", ticks = "", info = ""] = open
    const code: Array<string> = []
    const line = index + 2
    const closes = (last: string): boolean =>
      last.startsWith(ticks) && last.replaceAll(ticks.charAt(0), "") === ""
    index += 1
    while (index < lines.length && !closes((lines[index] ?? "").trim())) {
      code.push((lines[index] ?? "").replace(indent, ""))
      index += 1
    }
    const name = `${path}:${line}`
    if (index === lines.length) throw new Error(`${name}: the fence is never closed`)
    const [language = "", ...words] = info.trim().split(/\s+/)
    if (language !== "ts") {
      if (/^(typescript|tsx|mts|cts)$/i.test(language))
        throw new Error(`${name}: write \`ts\`, not \`${language}\``)
      continue
    }
    const [use = "run"] = words
    if (words.length > 1 || (words.length === 1 && !uses.has(use)))
      throw new Error(
        `${name}: a \`ts\` fence takes one of ${[...uses].join(", ")}, not "${words.join(" ")}"`,
      )
    found.push({ name, page: path, line, code: code.join("\n"), use: use as Snippet["use"] })
  }
  return found
}

/** How a command ended, and all it printed. */
interface Ended {
  readonly code: number | null
  readonly timedOut: boolean
  readonly output: string
}

const run = (args: ReadonlyArray<string>, cwd: string, timeout: number): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      child.kill("SIGKILL")
    }, timeout)
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text))
    child.once("error", reject)
    child.once("close", (code) => {
      clearTimeout(timer)
      resolve({ code, timedOut, output })
    })
  })

export class SnippetProject {
  readonly #folder: string

  /** `name`: of a hidden folder inside docs, where packages resolve as they do for docs itself. */
  constructor(name: string, snippets: ReadonlyArray<Snippet>) {
    this.#folder = join(root, "docs", name)
    rmSync(this.#folder, { recursive: true, force: true })
    mkdirSync(this.#folder, { recursive: true })
    const config = {
      extends: "../../tsconfig.check.json",
      include: ["*.ts"],
      compilerOptions: {
        incremental: false,
        tsBuildInfoFile: null,
        noUnusedLocals: false,
        noUnusedParameters: false,
      },
    }
    writeFileSync(join(this.#folder, "tsconfig.json"), JSON.stringify(config))
    for (const snippet of snippets) {
      // Blank lines first: the compiler and the stack traces then name the line of the page.
      writeFileSync(join(this.#folder, fileOf(snippet)), `${"\n".repeat(snippet.line - 1)}${snippet.code}\n`)
    }
  }

  /** What the compiler says about all of them; empty when it is content. */
  async typecheck(): Promise<string> {
    const compiler = join(root, "node_modules/typescript/bin/tsc")
    const { code, output } = await run(
      [compiler, "-p", this.#folder, "--pretty", "false"],
      this.#folder,
      60_000,
    )
    return code === 0 ? "" : output || `the compiler ended with ${code}`
  }

  /** Why the snippet did not end well within `timeout` milliseconds; empty when it did. */
  async run(snippet: Snippet, timeout: number): Promise<string> {
    const ended = await run([fileOf(snippet)], this.#folder, timeout)
    if (ended.timedOut) return `${snippet.name}: still running after ${timeout} ms\n${ended.output}`
    return ended.code === 0 ? "" : `${snippet.name}: ended with ${ended.code}\n${ended.output}`
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

const fileOf = ({ page, line }: Snippet): string => `${page.replaceAll("/", "-")}.${line}.ts`
