/** A real host for the tests beside it: `node ownProcessProgram.ts <scenario>`. Says what it has started, a JSON value a line. */
import { spawn } from "node:child_process"
import { createSessions } from "../../src/index.ts"
import { ownProcess } from "../../src/node.ts"
import { disown, own } from "../../src/node/ownProcess/household.ts"
import { Family } from "../../src/node/ownProcess/Family.ts"
import { lookUp } from "../../src/node/ownProcess/processTable.ts"

const say = (line: unknown): void => console.log(JSON.stringify(line))
const scenario = process.argv[2] ?? ""
/** Ends only by SIGKILL, and so does what it starts. */
const deaf = "trap '' TERM; sleep 1000 & echo $!; wait"
const polite = "sleep 1000 & echo $!; wait"

const sessionsOf = (program: string, detached: boolean) =>
  createSessions({
    name: "children",
    open: async (session) => {
      const child = spawn("sh", ["-c", program], { detached, stdio: ["ignore", "pipe", "ignore"] })
      ownProcess(session, child)
      const other = await new Promise((resolve) => child.stdout.once("data", (text) => resolve(Number(text))))
      say({ started: [child.pid, other] })
    },
  })

const scenarios: Record<string, () => unknown> = {
  /** One of each kind, and then nothing. */
  holds: async () => {
    await sessionsOf(deaf, true).run("a", () => {})
    await sessionsOf(deaf, false).run("a", () => {})
    await sessionsOf(polite, true).run("a", () => {})
    await sessionsOf(polite, false).run("a", () => {})
    process.stdin.on("data", () => say("still here"))
    say("ready")
  },
  one: async () => {
    await sessionsOf(polite, true).run("a", () => {})
    say("ready")
  },
  /** Ends by itself, with nothing owned any more. */
  ends: async () => {
    const sessions = sessionsOf(polite, true)
    await sessions.run("a", () => {})
    say("ready")
    await new Promise((resolve) => process.stdin.once("data", resolve))
    await sessions.drain()
    process.stdin.off("end", exit).destroy()
  },
  /** Exits without a word to anybody. */
  exits: async () => {
    await sessionsOf(polite, true).run("a", () => {})
    say("ready")
    process.stdin.once("data", () => process.exit(0))
  },
  /** Takes its time to write a file when it is told to end. */
  tidy: async () => {
    const tidy = `trap 'sleep 0.3; echo tidy > "$FILE"; exit' TERM; sleep 1000 & echo $!; while :; do sleep 0.1; done`
    await sessionsOf(tidy, true).run("a", () => {})
    say("ready")
  },
  /** As if another process had got the number of one that was owned; and processes that are no longer owned. */
  mistaken: async () => {
    for (const pid of JSON.parse(process.env["PIDS"] ?? "[]") as ReadonlyArray<number>) {
      own(new Family({ pid, leads: true, start: "1" }))
      own(new Family({ pid, leads: false, start: "2" }))
    }
    for (const pid of JSON.parse(process.env["DISOWNED"] ?? "[]") as ReadonlyArray<number>) {
      const family = new Family({ pid, leads: true, start: lookUp(pid)?.start })
      own(family)
      disown(family)
    }
    await sessionsOf(polite, true).run("a", () => {})
    say("ready")
  },
  /** The end of its children, seen from the event loop, comes late. */
  blocked: async () => {
    await sessionsOf(`sh -c 'trap "" TERM; echo $$; sleep 1000' & sleep 0.2; exit`, true).run("a", () => {})
    say("ready")
    for (;;);
  },
}
// Whoever started it has gone.
const exit = (): void => process.exit(1)
process.stdin.resume().on("end", exit)
await scenarios[scenario]?.()
