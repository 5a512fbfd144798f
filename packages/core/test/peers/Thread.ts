/** A real worker thread that answers, exits or spins as it is told to. */
import { Worker } from "node:worker_threads"

const program = `
const { parentPort } = require("node:worker_threads")
parentPort.on("message", (word) => {
  parentPort.postMessage(word)
  if (word === "exit") process.exit(7)
  if (word === "spin") for (;;) {}
})`

export class Thread {
  readonly worker: Worker = new Worker(program, { eval: true })
  /** Its exit code, once it is gone. */
  readonly exited: Promise<number> = new Promise((resolve) => this.worker.once("exit", resolve))
  gone = false

  constructor() {
    this.worker.once("exit", () => (this.gone = true))
  }
  send(word: string): void {
    // A thread, not a window: there is no origin.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    this.worker.postMessage(word)
  }
  /** What it says to a word; rejects when the thread exits before it does. Never settles while the thread spins. */
  async hear(word: string): Promise<unknown> {
    const said = new Promise((resolve) => this.worker.once("message", resolve))
    this.send(word)
    return Promise.race([
      said,
      this.exited.then((code) => Promise.reject(new Error(`the thread exited with ${code}`))),
    ])
  }
}
