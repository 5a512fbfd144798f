/** Lets a test stop the file system calls of this process, or of a part of it, one by one. */
import { AsyncLocalStorage } from "node:async_hooks"
import fs, { type FileHandle } from "node:fs/promises"
import { syncBuiltinESMExports } from "node:module"
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises"

/** All that src/node/store calls. */
const names = [
  "copyFile",
  "mkdir",
  "open",
  "readdir",
  "readFile",
  "rename",
  "rm",
  "stat",
  "unlink",
  "writeFile",
] as const

type Work<A> = () => Promise<A>
/** Carries out a call when it may go on. `half`: what a process does that dies in the middle. */
export type Gate = <A>(name: string, work: Work<A>, half?: Work<unknown>) => Promise<A>

type AnyFunction = (...args: ReadonlyArray<never>) => Promise<unknown>

/** Until it is disposed. Nothing is forced to the disk: only a power failure could tell, and it takes most of the time. */
export const throughGate = (gate: Gate): Disposable => {
  const real = new Map<string, AnyFunction>()
  const table = fs as unknown as Record<string, AnyFunction>
  for (const name of names) {
    const call = table[name]
    if (call === undefined) throw new Error(`no ${name}`)
    real.set(name, call)
    table[name] = async (...args) => {
      const result = await gate(name, () => call(...args))
      return name === "open" ? gated(result as FileHandle, gate) : result
    }
  }
  syncBuiltinESMExports()
  return {
    [Symbol.dispose]: () => {
      for (const [name, call] of real) table[name] = call
      syncBuiltinESMExports()
    },
  }
}

const gated = (file: FileHandle, gate: Gate): FileHandle => {
  const writeFile = file.writeFile.bind(file)
  file.sync = () => gate("sync", () => Promise.resolve())
  file.writeFile = (bytes: Uint8Array) =>
    gate(
      "write",
      () => writeFile(bytes),
      () => writeFile(bytes.subarray(0, bytes.length / 2)),
    )
  return file
}

/** The first `calls` calls are carried out. The next one and all after it never answer: the process has died. */
export const diesAfter = (calls: number): { readonly gate: Gate; readonly died: Promise<void> } => {
  const { promise: died, resolve } = Promise.withResolvers<void>()
  let count = 0
  return {
    died,
    gate: async (_, work, half) => {
      if (count++ < calls) return work()
      if (count === calls + 1) {
        await half?.()
        resolve()
      }
      return new Promise(() => {})
    },
  }
}

const current = new AsyncLocalStorage<number>()
/** This many of ten choices stay with who ran last, so that some get far while others stand still. */
const staying = 7

/**
 * Runs them side by side, one file system call at a time. `choices` says who goes on: 0 to 9, used again and again; under 7
 * the one who went last.
 */
export const interleaved = async (
  choices: ReadonlyArray<number>,
  works: ReadonlyArray<() => Promise<void>>,
): Promise<void> => {
  const waiting = new Map<number, () => Promise<unknown>>()
  using _ = throughGate(
    (__, work) =>
      new Promise((resolve, reject) => {
        const who = current.getStore() ?? -1
        if (waiting.has(who)) throw new Error("one at a time")
        waiting.set(who, () => work().then(resolve, reject))
      }),
  )
  const left = new Set(works.keys())
  const all = Promise.all(
    works.map((work, who) =>
      current.run(who, async () => {
        try {
          await work()
        } finally {
          left.delete(who)
        }
      }),
    ),
  )
  let last = -1
  for (let at = 0; left.size > 0; at++) {
    await turn()
    // Nobody waits for a call: somebody waits for a timer.
    if (waiting.size === 0) {
      await sleep(1)
      continue
    }
    const choice = choices[at % choices.length] ?? 0
    const ids = [...waiting.keys()]
    const who = choice < staying && waiting.has(last) ? last : (ids[(at + choice) % ids.length] ?? last)
    const go = waiting.get(who)
    waiting.delete(who)
    last = who
    await go?.()
  }
  await all
}
