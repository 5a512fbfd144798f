/** Openings that keep the rules pass, whatever they hold and however they are written. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdir, mkdtemp, open as openFile, rm, writeFile } from "node:fs/promises"
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { pathToFileURL } from "node:url"
import { Worker } from "node:worker_threads"
import { describe, expect, test } from "vitest"
import type { Opening } from "../../src/Sessions.ts"
import { checkOpen } from "../../src/testing/open/checkOpen.ts"
import { problemsOf } from "./problemsOf.ts"

const timeout = "5 seconds"

interface PoolModule {
  readonly Pool: new () => {
    readonly connect: () => { readonly release: () => void; readonly end: () => void }
    readonly end: () => void
  }
}

describe("L4: an open that keeps the rules passes", () => {
  test("nothing to release", async () => {
    expect(await problemsOf(({ key }) => ({ key }))).toEqual([])
    expect(await problemsOf(async ({ key }) => key)).toEqual([])
    expect(await problemsOf(() => undefined)).toEqual([])
  })

  test("a server and a client of it, each owned from the moment it exists", async () => {
    const open = async ({ onClose, signal, use }: Opening): Promise<Socket> => {
      const server: Server = createServer((socket) => socket.pipe(socket))
      onClose(async () => {
        server.close()
        await once(server, "close")
      })
      server.listen(0, "127.0.0.1")
      await once(server, "listening", { signal })
      const socket = connect((server.address() as AddressInfo).port, "127.0.0.1")
      return use(
        once(socket, "connect").then(() => socket),
        () => socket.destroy(),
      )
    }
    expect(
      await problemsOf(open, {
        timeout,
        task: async (socket) => {
          socket.write("hello")
          const [data] = (await once(socket, "data")) as [Buffer]
          expect(String(data)).toBe("hello")
        },
      }),
    ).toEqual([])
  })

  test("a child process that is killed and waited for", async () => {
    const open = async ({ onClose, signal }: Opening) => {
      const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000); console.log('up')"])
      onClose(async () => {
        child.kill()
        if (child.exitCode === null && child.signalCode === null) await once(child, "close")
      })
      await once(child.stdout, "data", { signal })
      return child
    }
    expect(await problemsOf(open, { timeout, task: (child) => expect(child.exitCode).toBe(null) })).toEqual(
      [],
    )
  })

  test("a worker thread, a file, a timer, a disposable, and one after the other", async () => {
    const open = async ({ onClose, signal, use }: Opening) => {
      const file = await use(openFile(import.meta.filename))
      const worker = await use(new Worker("setInterval(() => {}, 1000)", { eval: true }), (own) =>
        own.terminate(),
      )
      const timer = setInterval(() => {}, 1000)
      onClose(() => clearInterval(timer))
      await pause(5, undefined, { signal })
      const last = await use(disposable())
      return { file, worker, last }
    }
    expect(await problemsOf(open, { timeout, task: ({ file }) => file.stat() })).toEqual([])
  })

  test("several at once, with Promise.all", async () => {
    const slow = async (ms: number) => {
      await pause(ms)
      return disposable()
    }
    expect(
      await problemsOf(({ use }: Opening) => Promise.all([use(slow(3)), use(slow(1)), use(slow(2))]), {
        timeout,
      }),
    ).toEqual([])
  })

  test("a resource that is released by hand in `onClose`, and one whose release releases others", async () => {
    expect(
      await problemsOf(({ onClose }) => {
        const own = disposable()
        onClose(() => own.close())
        return own
      }),
    ).toEqual([])
    const pool = () => {
      const clients: Array<ReturnType<typeof disposable>> = []
      return {
        connect: () => {
          const client = disposable()
          clients.push(client)
          return client
        },
        end: () => clients.length,
      }
    }
    expect(
      await problemsOf(async ({ use }: Opening) => {
        const owner = await use(pool(), (own) => own.end())
        return use(owner.connect())
      }),
    ).toEqual([])
  })

  test("a probe, saved state, `broken` and `end` are there as ever", async () => {
    const seen = new Set<string>()
    expect(
      await problemsOf(
        (session) => {
          session.probe(() => true)
          session.save(() => 1)
          for (const name of ["key", "id", "name", "serial", "signal", "restored", "broken", "end"]) {
            if (name in session) seen.add(name)
          }
          expect(session.signal).toBeInstanceOf(AbortSignal)
          return { session }
        },
        { task: ({ session }, task) => expect(task.session.serial).toBe(session.serial) },
      ),
    ).toEqual([])
    expect(seen.size).toBe(8)
  })

  test("tries every step: each acquisition while it is on its way, as it arrives, and failing", async () => {
    const stories: Array<Array<string>> = []
    await checkOpen(async ({ onClose, signal, use }) => {
      const story: Array<string> = []
      stories.push(story)
      onClose((reason) => story.push(reason))
      try {
        await use(Promise.resolve(1), () => story.push("released 1"))
        story.push(`one ${signal.aborted}`)
        await use(Promise.resolve(2), () => story.push("released 2"))
        story.push(`two ${signal.aborted}`)
      } catch (error) {
        story.push(error instanceof Error ? error.message : "?")
        throw error
      }
      return {}
    })
    const gone = (reason: string): string => `This generation is over: ${reason}.`
    const whole = "one false, two false, released 2, released 1,"
    const told = stories.map((story) => story.join(", "))
    expect(withoutHalfWay(told, `${whole} Drained`)).toEqual([
      // Opened, used and closed; given up at once.
      `${whole} Requested`,
      `${gone("OpenCancelled")}, released 1, OpenCancelled`,
      // Acquisition 1 on its way, arrived, failing; then 2.
      `${gone("OpenCancelled")}, released 1, OpenCancelled`,
      `one true, ${gone("OpenCancelled")}, released 2, released 1, OpenCancelled`,
      "checkOpen lets acquisition 1 fail., released 1, OpenFailed",
      `one false, ${gone("OpenCancelled")}, released 2, released 1, OpenCancelled`,
      "one false, two true, released 2, released 1, OpenCancelled",
      "one false, checkOpen lets acquisition 2 fail., released 2, released 1, OpenFailed",
      // After the onClose; closed while opening, and while busy.
      `${gone("OpenCancelled")}, released 1, OpenCancelled`,
      `${gone("Requested")}, released 1, Requested`,
      `${whole} Requested`,
      // Two keys and a second generation; releases that fail.
      `${whole} Requested`,
      `${whole} Drained`,
      `${whole} Drained`,
      `${whole} Requested`,
    ])
  })

  test("a child that is ended by its process id, and a library whose own release releases what it gave out", async () => {
    const byId = async ({ onClose }: Opening) => {
      const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"])
      onClose(async () => {
        const closed = once(child, "close")
        process.kill(Number(child.pid))
        await closed
      })
      await once(child, "spawn")
      return child
    }
    expect(await problemsOf(byId, { timeout })).toEqual([])

    const folder = await mkdtemp(join(tmpdir(), "sojourn-"))
    try {
      const library = join(folder, "node_modules", "pool", "index.mjs")
      await mkdir(dirname(library), { recursive: true })
      await writeFile(
        library,
        `export class Pool {
          clients = []
          connect() { const client = { release() {}, end() {} }; this.clients.push(client); return client }
          end() { for (const client of this.clients) client.end() }
        }`,
      )
      const { Pool } = (await import(/* @vite-ignore */ pathToFileURL(library).href)) as PoolModule
      const pooled = async ({ use }: Opening) => {
        const pool = await use(new Pool(), (own) => own.end())
        return use(pool.connect(), (client) => client.release())
      }
      expect(await problemsOf(pooled, { timeout })).toEqual([])
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test("options are checked", async () => {
    await expect(checkOpen(() => 1, { timeout: 0 })).rejects.toThrow("timeout: a time of at least 1 ms")
    await expect(checkOpen(() => 1, { timeout: "Infinity" })).rejects.toThrow("a finite time")
    await expect(checkOpen(() => 1, { tasks: () => 1 } as never)).rejects.toThrow(
      "tasks: there is no such option",
    )
    await expect(checkOpen(5 as never)).rejects.toThrow("open: a function is allowed")
    await expect(checkOpen(() => 1, { task: 5 as never })).rejects.toThrow("task: a function is allowed")
  })
})

const disposable = () => ({
  closed: 0,
  close() {
    this.closed++
  },
  [Symbol.dispose]() {
    this.close()
  },
})

/** On a machine that stood still for a moment there is a half-way as well, which comes when it is over. */
const withoutHalfWay = (told: ReadonlyArray<string>, over: string): ReadonlyArray<string> =>
  told[2] === over ? told.toSpliced(2, 1) : told
