/** Debian's `prometheus` package: the server, and `promtool`, which comes with it. */
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { setTimeout as pass } from "node:timers/promises"

export const needed = (): void => {
  const missing = ["prometheus", "promtool"].filter(
    (program) => spawnSync(program, ["--version"], { stdio: "ignore" }).error !== undefined,
  )
  if (missing.length > 0)
    throw new Error(
      `${missing.join(" and ")} cannot be started. These tests need Prometheus: apt-get install prometheus`,
    )
}

interface Done {
  readonly code: number
  readonly output: string
}
/** Runs promtool with `input`; all it printed. */
export const promtool = (args: ReadonlyArray<string>, input = ""): Promise<Done> =>
  new Promise((resolve) => {
    const child = execFile("promtool", [...args], { timeout: 30_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1
      resolve({ code, output: stdout + stderr })
    })
    child.stdin?.end(input)
  })

/** A folder of its own, gone when it is disposed. */
export const temporary = (): Disposable & { readonly path: (name: string) => string } => {
  const folder = mkdtempSync(join(tmpdir(), "sojourn-prometheus-"))
  return {
    path: (name) => join(folder, name),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [at: number, value: string]
}
interface Answer {
  readonly status: string
  readonly error?: string
  readonly data: unknown
}

/** A real server on a port of its own; everything of it is gone when it is disposed. */
export class Prometheus implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly #folder: ReturnType<typeof temporary>
  readonly #url: string
  readonly #log: ReadonlyArray<string>
  private constructor(
    server: ChildProcess,
    folder: ReturnType<typeof temporary>,
    url: string,
    log: ReadonlyArray<string>,
  ) {
    this.#process = server
    this.#folder = folder
    this.#url = url
    this.#log = log
  }
  /** `jobs`: name, and the port and path on loopback that is scraped. */
  static async start(
    jobs: ReadonlyArray<readonly [name: string, port: number, path: string]>,
    ruleFiles: ReadonlyArray<string>,
  ): Promise<Prometheus> {
    const folder = temporary()
    const every = "500ms"
    writeFileSync(
      folder.path("prometheus.json"),
      // What is JSON is YAML.
      JSON.stringify({
        global: { scrape_interval: every, scrape_timeout: every, evaluation_interval: every },
        rule_files: ruleFiles,
        scrape_configs: jobs.map(([name, port, path]) => ({
          job_name: name,
          metrics_path: path,
          static_configs: [{ targets: [`127.0.0.1:${port}`] }],
        })),
      }),
    )
    const server = spawn(
      "prometheus",
      [
        `--config.file=${folder.path("prometheus.json")}`,
        `--storage.tsdb.path=${folder.path("data")}`,
        "--web.listen-address=127.0.0.1:0",
        "--enable-feature=exemplar-storage",
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    )
    const log: Array<string> = []
    const listening = new Promise<string>((resolve, reject) => {
      server.once("error", reject)
      server.once("exit", (code) => reject(new Error(`prometheus ended with ${code}:\n${log.join("\n")}`)))
      createInterface({ input: server.stderr }).on("line", (line) => {
        log.push(line)
        const [, address] = /msg="Listening on" address=(\S+)/.exec(line) ?? []
        if (address !== undefined) resolve(address)
      })
    })
    try {
      const prometheus = new Prometheus(server, folder, `http://${await listening}`, log)
      await prometheus.until(() => prometheus.#ready())
      return prometheus
    } catch (error) {
      server.kill("SIGKILL")
      folder[Symbol.dispose]()
      throw error
    }
  }
  async #ready(): Promise<boolean> {
    return (await fetch(`${this.#url}/-/ready`)).ok
  }
  /** What its API answers; an error of its own is thrown. */
  async ask(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const response = await fetch(`${this.#url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`)
    const answer = (await response.json()) as Answer
    if (answer.status !== "success") throw new Error(`${JSON.stringify(parameters)}: ${answer.error}`)
    return answer.data
  }
  async query(expression: string): Promise<ReadonlyArray<Sample>> {
    const { result } = (await this.ask("query", { query: expression })) as { result: ReadonlyArray<Sample> }
    return result
  }
  /** The one number that an expression gives; undefined: it gives nothing. */
  async value(expression: string): Promise<number | undefined> {
    const [first, ...more] = await this.query(expression)
    if (more.length > 0) throw new Error(`${expression}: ${more.length + 1} series`)
    return first === undefined ? undefined : Number(first.value[1])
  }
  /** Asks again until it is so: what is scraped shows within a second. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + 20_000
    while (!(await holds().catch(() => false))) {
      if (Date.now() > end)
        throw new Error(`never came: ${holds.toString()}\n${this.#log.slice(-5).join("\n")}`)
      await pass(100)
    }
  }
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, "exit")
      this.#process.kill("SIGTERM")
      const patience = setTimeout(() => this.#process.kill("SIGKILL"), 10_000)
      await ended
      clearTimeout(patience)
    }
    this.#folder[Symbol.dispose]()
  }
}
