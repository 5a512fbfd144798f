/** Questions and answers by lines, over anything that sends back what it is sent. */
import type { Readable, Writable } from "node:stream"
import { createInterface } from "node:readline"

interface Waiting {
  readonly answered: (line: string) => void
  readonly lost: (error: unknown) => void
}

export class LineEcho {
  readonly #output: Writable
  readonly #waiting = new Map<string, Waiting>()
  #lost: { readonly error: unknown } | undefined
  #asked = 0

  constructor(output: Writable, input: Readable) {
    this.#output = output
    const lines = createInterface({ input })
    lines.on("line", (line) => this.#answer(line))
    // The stream's own errors come out of the interface as well.
    lines.on("error", () => {})
  }

  ask(text: string, signal: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost.error)
      if (signal.aborted) return reject(signal.reason)
      const id = String(++this.#asked)
      const done = (): void => {
        this.#waiting.delete(id)
        signal.removeEventListener("abort", stop)
      }
      const stop = (): void => {
        done()
        reject(signal.reason)
      }
      signal.addEventListener("abort", stop, { once: true })
      this.#waiting.set(id, {
        answered: (line) => {
          done()
          resolve(line)
        },
        lost: (error) => {
          done()
          reject(error)
        },
      })
      this.#output.write(`${id} ${text}\n`)
    })
  }
  #answer(line: string): void {
    const space = line.indexOf(" ")
    this.#waiting.get(line.slice(0, space))?.answered(line.slice(space + 1))
  }
  /** Everyone who waits is told, and everyone who still asks. */
  lose(error: unknown): void {
    this.#lost ??= { error }
    for (const waiting of this.#waiting.values()) waiting.lost(error)
  }
}
