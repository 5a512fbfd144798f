/** The same requests to both servers: what goes wrong in `before.ts` goes right in `after.ts`. Real processes, databases and HTTP. */
import { setTimeout as sleep } from "node:timers/promises"
import { describe, test } from "vitest"
import {
  endOne,
  exists,
  newFolder,
  start,
  until,
  within,
  type Name,
  type OnEnd,
  type Program,
  type Settings,
} from "./program.ts"

/** Both servers, asked the same at the same time. */
const both = async <A>(
  onEnd: OnEnd,
  settings: Settings,
  requests: (program: Program, name: Name) => Promise<A>,
): Promise<Readonly<Record<Name, A>>> => {
  const of = async (name: Name): Promise<A> => requests(await start(name, onEnd, settings), name)
  const [before, after] = await Promise.all([of("before"), of("after")])
  return { before, after }
}
const forever = "select sleep(3600000)"

test.concurrent("both do what they are for: the same answers, and the same files", async ({
  onTestFinished,
  expect,
}) => {
  const DATA = newFolder(onTestFinished)
  for (const name of ["before", "after"] as const) {
    const program = await start(name, onTestFinished, { DATA })
    if (name === "before") {
      await program.sql("alice", "create table notes (text)")
      await program.sql("alice", "insert into notes values ('buy milk')")
    }
    expect(await program.sql("alice", "select * from notes")).toEqual({
      status: 200,
      body: { rows: [{ text: "buy milk" }] },
    })
    expect(await program.sql("bob", "select * from notes")).toEqual({
      status: 400,
      body: { message: "no such table: notes" },
    })
    expect((await program.sql("mallory", "select 1")).status).toBe(401)
    expect((await program.close("alice")).body).toEqual({ closed: true })
    expect((await program.close("alice")).body).toEqual({ closed: false })
    program.signal("SIGTERM")
    expect(await program.exit).toEqual({ code: 0, stderr: "" })
    expect(program.databases()).toEqual([])
  }
})

test.concurrent("L1: two first requests at once. Before: two processes, and one of them meets the other's lock", async ({
  onTestFinished,
  expect,
}) => {
  const { before, after } = await both(onTestFinished, {}, async (program) => {
    const answers = await Promise.all([program.sql("alice", "select 1"), program.sql("alice", "select 1")])
    return answers.map(({ status }) => status).toSorted((a, b) => a - b)
  })
  // Both may meet the other's, if they are that close.
  expect(before).toContain(500)
  expect(after).toEqual([200, 200])
})

test.concurrent("L8: a query longer than the idle time, behind a short one. Before: its database is closed under it", async ({
  onTestFinished,
  expect,
}) => {
  const { before, after } = await both(onTestFinished, { IDLE_TIMEOUT: 700 }, async (program) => {
    await program.sql("alice", "select 1")
    // Both are let in while the database is open; the short one ends first and starts the timer.
    const short = program.sql("alice", "select sleep(100)")
    const long = program.sql("alice", "select sleep(2500)")
    return [(await short).status, (await long).status]
  })
  expect(before).toEqual([200, 500])
  expect(after).toEqual([200, 200])
})

test.concurrent("L11: a database's process is killed. Before: the dead one is asked again and again", async ({
  onTestFinished,
  expect,
}) => {
  const { before, after } = await both(onTestFinished, {}, async (program) => {
    await program.sql("alice", "create table notes (text)")
    const [pid] = program.databases()
    endOne(pid)
    await until("its end was noticed", () => !exists(pid))
    const statuses: Array<number> = []
    for (let n = 0; n < 3; n++) statuses.push((await program.sql("alice", "select * from notes")).status)
    return statuses
  })
  expect(before).toEqual([500, 500, 500])
  expect(after).toEqual([200, 200, 200])
})

test.concurrent("L8: a client leaves before its answer and never comes back. Before: its process stays for ever", async ({
  onTestFinished,
  expect,
}) => {
  const { before, after } = await both(onTestFinished, { IDLE_TIMEOUT: 200 }, async (program, name) => {
    const leaving = new AbortController()
    const asked = program.sql("alice", "select sleep(300)", leaving.signal)
    await until("its database is open", () => program.databases().length === 1)
    leaving.abort()
    await expect(asked).rejects.toThrow("aborted")
    if (name === "after") await until("it is closed", () => program.databases().length === 0)
    // Many times what it may be idle.
    else await sleep(3000)
    return program.databases().length
  })
  expect(before).toBe(1)
  expect(after).toBe(0)
})

test.concurrent("L13: a query that never ends. Before: its user waits for ever, whatever else is asked", async ({
  onTestFinished,
  expect,
}) => {
  const { before, after } = await both(onTestFinished, { QUERY_TIMEOUT: 4000 }, async (program) => {
    await program.sql("alice", "create table notes (text)")
    const endless = within(6000, program.sql("alice", forever))
    const other = within(6000, program.sql("bob", "select 1"))
    const answers = await Promise.all([endless, other])
    const later = await within(6000, program.sql("alice", "select * from notes"))
    return [...answers, later].map((one) => (one === "still waiting" ? one : one.status))
  })
  expect(before).toEqual(["still waiting", 200, "still waiting"])
  expect(after).toEqual([504, 200, 200])
})

test.concurrent("L9: one user more than there is room for. Before: there is no limit", async ({
  onTestFinished,
  expect,
}) => {
  const { before, after } = await both(onTestFinished, { MAX_OPEN: 2 }, async (program) => {
    const statuses: Array<number> = []
    for (const user of ["alice", "bob", "carol"]) statuses.push((await program.sql(user, "select 1")).status)
    return { statuses, open: program.databases().length }
  })
  expect(before).toEqual({ statuses: [200, 200, 200], open: 3 })
  // The longest idle was closed for it.
  expect(after).toEqual({ statuses: [200, 200, 200], open: 2 })
})

// On Windows a signal from another process ends a program at once.
describe.skipIf(process.platform === "win32")("shutdown", () => {
  test.concurrent("L14: SIGTERM while a query never ends. Before: it hangs, and what is killed then leaves the database behind", async ({
    onTestFinished,
    expect,
  }) => {
    const { before, after } = await both(onTestFinished, {}, async (program, name) => {
      await program.sql("alice", "select 1")
      const endless = program.sql("alice", forever).catch(() => "no answer")
      // When this one is answered, over a connection of its own, that one has long been let in.
      await program.sql("bob", "select 1")
      program.signal("SIGTERM")
      const exit = await within(6000, program.exit)
      if (name === "before" && exit === "still waiting") {
        // What a platform does then.
        program.signal("SIGKILL")
        await program.exit
        await sleep(500)
      }
      await endless
      return { exit, left: program.databases().length }
    })
    expect(before).toEqual({ exit: "still waiting", left: 1 })
    expect(after.left).toBe(0)
    expect(after.exit).toEqual({ code: 1, stderr: expect.stringContaining("tasks cut: 1") as string })
  })
})
