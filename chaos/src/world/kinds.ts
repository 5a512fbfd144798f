/** The four kinds of resource. Each opens something real, asks it, and hurts it in ways that only it can be hurt. */
import { once } from "node:events"
import { createConnection, type Socket } from "node:net"
import { PGlite } from "@electric-sql/pglite"
import type { Opening } from "@sojourn/core"
import { ownProcess } from "@sojourn/core/node"
import { lifeName, place } from "../book/names.ts"
import type { Life } from "../book/types.ts"
import type { Random } from "../random.ts"
import { pause, pauseHeeding } from "../time.ts"
import type { EchoChild } from "./children.ts"
import { LineEcho } from "./LineEcho.ts"
import { mannerOf, releaser } from "./pieces.ts"
import type { KindName, Resource, Scene, Site } from "./Scene.ts"

type Made = Pick<Resource, "ask" | "harm">
type Make = (scene: Scene, site: Site, opening: Opening, life: Life, random: Random) => Promise<Made>

export const declareBroken = (scene: Scene, life: Life, opening: Opening, cause: unknown): void => {
  scene.book.declare(life, cause)
  opening.broken(cause)
}

/** A child answers by lines; a socket too. An answer that is not the question has come from somebody else. */
const askOver =
  (scene: Scene, life: Life, echo: LineEcho): Resource["ask"] =>
  async (text, signal) => {
    const asked = `${life.key}#${life.serial} ${text}`
    const answer = await echo.ask(asked, signal)
    if (answer !== asked)
      scene.book.violated("isolation", `${asked} was answered with ${answer}`, place(life.site, life.key))
    return answer
  }

const memory: Make = async (scene, site, opening, life, random) => {
  const piece = scene.book.piece(life, "memory", true)
  let open = true
  opening.onClose(
    releaser(scene, site, life, piece, mannerOf(site, random), random, () => {
      open = false
    }),
  )
  return {
    ask: async (text, signal) => {
      const wait = text.length % 4
      if (wait > 0) await pauseHeeding(wait * 2, signal)
      if (!open) throw new Error("the memory was given back")
      return text
    },
    harm: () => declareBroken(scene, life, opening, new Error("hurt from outside")),
  }
}

const child: Make = async (scene, site, opening, life, random) => {
  const program = random.weighted({ cat: 6, sh: 3, node: 1 })
  if (program === "node") scene.tally.fire("child is a slow starter")
  const started = scene.children.start(program)
  const owned = random.chance(0.5)
  if (started.pid !== undefined) scene.book.child(life, started, started.pid, owned)
  const echo = new LineEcho(started.stdin, started.stdout)
  if (owned) {
    scene.tally.fire("child is owned by the library")
    ownProcess(opening, started, { killAfter })
    started.once("exit", () => echo.lose(new Error("the child exited")))
  } else {
    const piece = scene.book.piece(life, "child", true)
    await opening.use(
      started,
      releaser(scene, site, life, piece, mannerOf(site, random), random, () => ended(started)),
    )
    started.once("exit", (code, signal) => {
      const error = new Error(`the child exited (${signal ?? code})`)
      echo.lose(error)
      if (code === 0) opening.end()
      else declareBroken(scene, life, opening, error)
    })
  }
  started.once("exit", (code) => {
    if (code === 0) scene.tally.fire("child exits")
  })
  const ask = askOver(scene, life, echo)
  await ask("hello", opening.signal)
  return { ask, harm: () => harmChild(scene, started, random) }
}
/** Milliseconds: less than a finalizer has. */
const killAfter = 150
const ended = async (running: EchoChild): Promise<void> => {
  if (running.exitCode !== null || running.signalCode !== null || running.pid === undefined) return
  const exited = once(running, "exit")
  running.kill("SIGKILL")
  await exited
}
const harmChild = (scene: Scene, running: EchoChild, random: Random): void => {
  switch (random.weighted({ kill: 3, stop: 2, exit: 2 })) {
    case "kill":
      scene.tally.fire("child is killed")
      return void running.kill("SIGKILL")
    case "stop":
      // It answers nothing any more, and nobody is told.
      scene.tally.fire("child is stopped")
      return void running.kill("SIGSTOP")
    case "exit":
      return void running.stdin.end()
  }
}

const socket: Make = async (scene, site, opening, life, random) => {
  const piece = scene.book.piece(life, "socket", true)
  const connection = createConnection({ host: "127.0.0.1", port: scene.server.port })
  connection.on("error", () => {})
  connection.once("connect", () =>
    scene.book.trace.add(`${lifeName(life)} is connected from port ${connection.localPort}`),
  )
  await opening.use(
    connection,
    releaser(scene, site, life, piece, mannerOf(site, random), random, () => closed(connection)),
  )
  const echo = new LineEcho(connection, connection)
  connection.once("end", () => opening.end())
  connection.once("close", () => {
    const error = new Error("the connection was lost")
    echo.lose(error)
    declareBroken(scene, life, opening, error)
  })
  const ask = askOver(scene, life, echo)
  await ask("hello", opening.signal)
  return {
    ask,
    harm: () => {
      scene.tally.fire("client loses its socket")
      connection.destroy()
    },
  }
}
const closed = async (connection: Socket): Promise<void> => {
  if (connection.closed) return
  const gone = once(connection, "close")
  connection.destroy()
  await gone
}

const database: Make = async (scene, site, opening, life, random) => {
  if (scene.databases <= 0) throw new Error("no more databases in this round")
  scene.databases--
  const piece = scene.book.piece(life, "database", false)
  const db = await opening.use(
    PGlite.create().then((created) => {
      piece.registered = scene.book.moment()
      return created
    }),
    (created) =>
      releaser(scene, site, life, piece, mannerOf(site, random), random, async () => {
        if (!created.closed) await created.close()
      })(),
  )
  return {
    ask: async (text, signal) => {
      signal.throwIfAborted()
      if (random.chance(0.25)) {
        scene.tally.fire("database refuses a statement")
        await db.query("select from where")
      }
      try {
        const { rows } = await db.query<{ said: string }>("select $1::text as said", [text])
        if (rows[0]?.said !== text)
          scene.book.violated("isolation", `${text} was answered with ${JSON.stringify(rows)}`)
      } catch (error) {
        if (db.closed) declareBroken(scene, life, opening, error)
        throw error
      }
      await pause(1)
      return text
    },
    harm: () => {
      scene.tally.fire("database is closed under its session")
      void db.close().catch(() => {})
    },
  }
}

export const kinds: Readonly<Record<KindName, Make>> = { memory, child, socket, database }
