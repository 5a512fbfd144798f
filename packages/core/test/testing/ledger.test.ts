/** What the ledger sees of each kind of handle: that it is there, where it was made, and that it is gone. */
import { spawn, type ChildProcess } from "node:child_process"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { open, readFile, unwatchFile, watch, watchFile } from "node:fs"
import { open as openFile } from "node:fs/promises"
import { createServer as createHttpServer, get } from "node:http"
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net"
import { setTimeout as pause } from "node:timers/promises"
import { MessageChannel, Worker } from "node:worker_threads"
import { promisify } from "node:util"
import { describe, expect, test } from "vitest"
import { ledger } from "../../src/testing/ledger.ts"

const listening = async (): Promise<Server> => {
  const server = createServer((socket) => socket.pipe(socket))
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return server
}
const portOf = (server: Server): number => (server.address() as AddressInfo).port
const closed = async (server: Server): Promise<void> => {
  server.close()
  await once(server, "close")
}

interface Kind {
  readonly what: string
  /** Makes it; what is given back releases it. */
  readonly make: () => Promise<() => unknown> | (() => unknown)
}
const kinds: ReadonlyArray<Kind> = [
  {
    what: "a timer",
    make: () => {
      const timer = setTimeout(() => {}, 1_000_000)
      return () => clearTimeout(timer)
    },
  },
  {
    what: "a timer",
    make: () => {
      const timer = setInterval(() => {}, 5).unref()
      return () => clearInterval(timer)
    },
  },
  {
    what: "a server",
    make: async () => {
      const server = await listening()
      return () => closed(server)
    },
  },
  {
    what: "a server",
    make: async () => {
      const server = createHttpServer((_, response) => response.end("hello"))
      server.listen(0, "127.0.0.1")
      await once(server, "listening")
      return () => closed(server)
    },
  },
  {
    what: "a child process",
    make: async () => {
      const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"])
      await once(child, "spawn")
      return () => endOf(child)
    },
  },
  {
    what: "a worker thread",
    make: async () => {
      const worker = new Worker("setInterval(() => {}, 1000)", { eval: true })
      await once(worker, "online")
      return () => worker.terminate()
    },
  },
  {
    what: "a UDP socket",
    make: async () => {
      const socket = createSocket("udp4")
      socket.bind(0, "127.0.0.1")
      await once(socket, "listening")
      return () => socket.close()
    },
  },
  {
    what: "a file watcher",
    make: () => {
      const watcher = watch(import.meta.filename, () => {})
      return () => watcher.close()
    },
  },
  {
    what: "a file watcher",
    make: () => {
      watchFile(import.meta.filename, () => {})
      return () => unwatchFile(import.meta.filename)
    },
  },
  {
    what: "an open file",
    make: async () => {
      const file = await openFile(import.meta.filename)
      return () => file.close()
    },
  },
  {
    what: "a signal listener",
    make: () => {
      const listener = (): void => {}
      process.on("SIGUSR2", listener)
      return () => process.off("SIGUSR2", listener)
    },
  },
  {
    what: "a message port",
    make: () => {
      const { port1, port2 } = new MessageChannel()
      port2.on("message", () => {})
      return () => port1.close()
    },
  },
]
const endOf = async (child: ChildProcess): Promise<void> => {
  child.kill()
  await once(child, "close")
}

describe("the ledger", () => {
  test.each(kinds)("L4: sees $what and where it was made, and that it is gone", async ({ make, what }) => {
    using book = ledger()
    const release = await book.run(make)
    const [line, ...more] = await book.held(0)
    expect(line).toMatch(new RegExp(`^${what} made at .*/ledger\\.test\\.ts:\\d+:\\d+$`))
    expect(more).toEqual([])
    await release()
    expect(await book.held()).toEqual([])
  })

  test("a connection: the socket that was opened, and the one that the server accepted", async () => {
    using clients = ledger()
    using servers = ledger()
    const server = await servers.run(listening)
    const socket = await clients.run(async (): Promise<Socket> => {
      const connected = connect(portOf(server), "127.0.0.1")
      await once(connected, "connect")
      return connected
    })
    // Until the server has accepted as well.
    socket.write("hello")
    await once(socket, "data")
    expect((await clients.held(0)).join()).toMatch(/^a socket made at .*ledger\.test\.ts/)
    const serverLine = (await servers.held(0)).join()
    expect(serverLine).toMatch(/^a server made at .*ledger\.test\.ts:\d+:\d+$/)
    server.close()
    // Its accepted socket is left.
    expect((await servers.held(100)).join()).toMatch(/^a socket made at .*ledger\.test\.ts:\d+:\d+$/)
    socket.destroy()
    await once(server, "close")
    expect(await clients.held()).toEqual([])
    expect(await servers.held()).toEqual([])
  })

  test("what ended by itself is gone: fired timers, requests, files that were read, children that exited", async () => {
    using book = ledger()
    await book.run(async () => {
      await pause(1)
      await promisify(readFile)(import.meta.filename)
      const descriptor = await promisify(open)(import.meta.filename, "r")
      const { close } = await import("node:fs")
      await promisify(close)(descriptor)
      const file = await openFile(import.meta.filename)
      await file.readFile()
      await file.close()
      const child = spawn(process.execPath, ["-e", "0"])
      await once(child, "close")
    })
    expect(await book.held()).toEqual([])
  })

  test("a timer that is set again is held until it has fired for the last time", async () => {
    using book = ledger()
    const timer = book.run(() => setTimeout(() => {}, 5))
    await pause(20)
    expect(await book.held()).toEqual([])
    book.run(() => timer.refresh())
    await pause(20)
    expect(await book.held()).toEqual([])
    timer.refresh()
    clearTimeout(timer)
    expect(await book.held()).toEqual([])
  })

  test("what Node shares in the whole process is nobody's: connections of fetch and http.get, AbortSignal.timeout", async () => {
    const server = createHttpServer((_, response) => response.end("hello"))
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    using book = ledger()
    await book.run(async () => {
      await (await fetch(url, { signal: AbortSignal.timeout(60_000) })).text()
      await new Promise<void>((resolve) => {
        get(url, (response) => response.resume().once("end", resolve))
      })
      console.log("a line on standard output")
    })
    const connections = await promisify(server.getConnections.bind(server))()
    expect(connections).toBe(2)
    expect(await book.held()).toEqual([])
    server.closeAllConnections()
    server.close()
    await once(server, "close")
  })

  test("tells apart who made it: two ledgers, and code outside of both", async () => {
    using one = ledger()
    using other = ledger()
    const timers = [
      one.run(() => setTimeout(() => {}, 1_000_000)),
      setTimeout(() => {}, 1_000_000),
      one.run(() => other.run(() => setTimeout(() => {}, 1_000_000))),
    ]
    expect([await one.held(0), await other.held(0)].map((lines) => lines.length)).toEqual([1, 1])
    for (const timer of timers) clearTimeout(timer)
    expect([...(await one.held()), ...(await other.held())]).toEqual([])
  })

  test("many at one place are one line, and a thousand that come and go leave none", async () => {
    using book = ledger()
    const made = book.run(() => Array.from({ length: 1000 }, () => setTimeout(() => {}, 1_000_000)))
    expect(await book.held(0)).toHaveLength(1)
    for (const timer of made) clearTimeout(timer)
    expect(await book.held()).toEqual([])
  })

  test("a message port that nobody listens at goes with its last reference, and is not held", async () => {
    using book = ledger()
    const channel = book.run(() => new MessageChannel())
    expect(await book.held(0)).toEqual([])
    channel.port1.close()
  })

  test("two kinds made at one place are named after what explains the other", async () => {
    using book = ledger()
    const calls: ReadonlyArray<readonly [Function, ReadonlyArray<unknown>]> = [
      [setTimeout, [() => {}, 1_000_000]],
      [watch, [import.meta.filename]],
    ]
    const [timer, watcher] = book.run(() => calls.map(([make, args]) => Reflect.apply(make, undefined, args)))
    expect(await book.held(0)).toEqual([expect.stringContaining("a file watcher made at")])
    watcher.close()
    clearTimeout(timer)
    expect(await book.held()).toEqual([])
  })

  test("once disposed it notes nothing more, and another one goes on", async () => {
    const over = ledger()
    using book = ledger()
    over[Symbol.dispose]()
    over[Symbol.dispose]()
    const late = over.run(() => setTimeout(() => {}, 1_000_000))
    const timer = book.run(() => setTimeout(() => {}, 1_000_000))
    expect([await over.held(0), await book.held(0)]).toEqual([[], [expect.stringContaining("a timer")]])
    clearTimeout(late)
    clearTimeout(timer)
    expect(await book.held()).toEqual([])
  })

  test("what is left when it is disposed no longer keeps the process alive", () => {
    const book = ledger()
    const timer = book.run(() => setInterval(() => {}, 1000))
    book[Symbol.dispose]()
    expect(timer.hasRef()).toBe(false)
    clearInterval(timer)
  })
})
