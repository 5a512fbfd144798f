import { type AnySessions, createSessions, type Sessions } from "@sojourn/core"
import { keyHash } from "@sojourn/core/host"
import { gunzipSync } from "node:zlib"
import { afterEach, expect, test } from "vitest"
import { History } from "../../src/history/History.ts"
import { recordingName } from "../../src/recording/format.ts"
import { Recorder, type RecorderOptions } from "../../src/recording/Recorder.ts"
import { HandClock } from "../history/support.ts"
import { played, toldAll } from "./support.ts"

const open = () => ({})
const cleanups: Array<Disposable> = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup[Symbol.dispose]()
})
const recording = (options: RecorderOptions = {}) => {
  const clock = new HandClock(Date.now())
  const history = new History({ clock, sessions: options.sessions })
  const recorder = new Recorder({ history, ...options })
  const on = recorder.on()
  cleanups.push(on)
  return { clock, history, recorder, on }
}
const isListenedTo = async (sessions: Sessions<object>, recorder: Recorder): Promise<boolean> => {
  await toldAll()
  const { lines } = recorder.state
  await sessions.run("probe", () => 1)
  await toldAll()
  return recorder.state.lines > lines
}

test("what happened is told in order, with hashes for keys and owners, and no values", async () => {
  await using sessions = createSessions({ name: "desk", open })
  const { clock, recorder } = recording()
  const key = { owner: "alice@example.org", id: "very-secret-desk" }
  await sessions.run(
    key,
    (_, task) => {
      task.progress("note-with-a-value")
      return "value-of-the-task"
    },
    { name: "look" },
  )
  await sessions
    .run(key, () => {
      throw new Error("no desk very-secret-desk of alice@example.org \u001B[31m\u202Ered")
    })
    .catch(() => {})
  await toldAll()
  clock.next()
  await sessions.close(key)
  await toldAll()
  const bytes = await recorder.recording().bytes()
  const text = gunzipSync(bytes).toString()
  for (const secret of ["very-secret-desk", "alice", "note-with-a-value", "value-of-the-task", "\u202E"])
    expect(text).not.toContain(secret)
  const { events, header, lines, samples } = await played(recorder.recording())
  expect(events.map(({ what }) => what)).toEqual([
    "TaskQueued",
    "Opening",
    "Opened",
    "TaskStarted",
    "TaskEnded",
    "TaskStarted",
    "TaskEnded",
    "Closing",
    "Closed",
  ])
  expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  const times = lines.map(({ at }) => at)
  expect(times).toEqual(times.toSorted((one, other) => one - other))
  expect(new Set(events.map(({ kind, owner, session }) => `${kind} ${session} ${owner}`))).toEqual(
    new Set([`desk ${keyHash(key)} ${keyHash({ owner: key.owner })}`]),
  )
  expect(events[4]?.task).toMatchObject({ name: "look", type: "turn" })
  expect(events[6]).toMatchObject({ outcome: "failed" })
  expect(events[6]?.error).toContain("no desk")
  expect(samples).toHaveLength(1)
  expect(samples[0]?.kinds).toMatchObject([{ kind: "desk", values: { "sessions.Ready": 1 } }])
  // Two, per second of a second that had not begun with the recording.
  expect((samples[0]?.kinds[0]?.values["started"] ?? 0) * (samples[0]?.seconds ?? 0)).toBeCloseTo(2, 1)
  expect(samples[0]?.process["process.heapUsed"]).toBeGreaterThan(1e6)
  expect(header).toMatchObject({ format: 1, versions: { node: process.versions.node } })
  expect(header.versions.effect).toMatch(/^\d/)
  expect(header.to - header.from).toBeLessThan(60_000)
  expect(recordingName(header)).toMatch(/^sojourn-\d{8}T\d{6}Z\.ndjson\.gz$/)
})

test("events are listened to only while it is on", async () => {
  await using sessions = createSessions({ name: "quiet", open })
  const { history, on, recorder } = recording()
  expect(await isListenedTo(sessions, recorder)).toBe(true)
  const second = recorder.on()
  on[Symbol.dispose]()
  on[Symbol.dispose]()
  expect(await isListenedTo(sessions, recorder)).toBe(true)
  second[Symbol.dispose]()
  expect(await isListenedTo(sessions, recorder)).toBe(false)
  expect(recorder.state).toMatchObject({ on: false, lines: 0, bytes: 0 })
  recorder.warning({ at: 1, id: "late", active: true })
  expect(recorder.state.lines).toBe(0)
  expect(history.kinds().every(({ live }) => !live)).toBe(true)
  // What was recorded before is not in what is recorded next.
  using third = recorder.on()
  expect(third).toBeDefined()
  expect((await played(recorder.recording())).lines).toEqual([])
})

test("who is not recorded any more is not listened to any more", async () => {
  await using sessions = createSessions({ name: "listened", open })
  let listening = 0
  const watched: AnySessions = Object.create(sessions, {
    subscribe: {
      value: (listener: Parameters<AnySessions["subscribe"]>[0]) => {
        const end = sessions.subscribe(listener)
        listening++
        return () => {
          listening--
          end()
        }
      },
    },
  }) as AnySessions
  const { on } = recording({ sessions: [watched] })
  expect(listening).toBe(1)
  on[Symbol.dispose]()
  expect(listening).toBe(0)
})

test("what leaks from a registry that drained is told to the run that heard it, and to no later one", async () => {
  const ends: Array<() => void> = []
  const leaky = () =>
    createSessions({
      name: "leaky",
      open: ({ onClose }) => {
        onClose(() => new Promise<void>((resolve) => ends.push(resolve)))
        return {}
      },
      timeouts: { close: 1 },
    })
  const { on, recorder } = recording()
  const heard = leaky()
  await heard.run("a", () => 1)
  await heard.drain()
  ends.pop()?.()
  await toldAll()
  expect((await played(recorder.recording())).events.at(-1)?.what).toBe("LeakEnded")
  const forgotten = leaky()
  await forgotten.run("a", () => 1)
  await forgotten.drain()
  on[Symbol.dispose]()
  using again = recorder.on()
  expect(again).toBeDefined()
  ends.pop()?.()
  await toldAll()
  expect((await played(recorder.recording())).events).toEqual([])
})

test("registries that come later are heard, and those that drained are told to their end", async () => {
  const { recorder } = recording()
  const guest = createSessions({ name: "guest", open })
  await guest.run("a", () => 1)
  await guest.drain()
  await toldAll()
  const { events } = await played(recorder.recording())
  expect(events.map(({ what }) => what).slice(-4)).toEqual([
    "DrainStarted",
    "Closing",
    "Closed",
    "DrainEnded",
  ])
})

test("lines of several registries are in order of time, also when one was told first", async () => {
  const [one, other] = ["first", "second"].map((name) => createSessions({ name, open }))
  if (one === undefined || other === undefined) throw new Error("No registries.")
  await Promise.all([one.run("a", () => 1), other.run("a", () => 1)])
  const { recorder } = recording()
  // In one step of the loop, so that each registry tells all of its own at once.
  const until = (ms: number): void => {
    const end = Date.now() + ms
    while (Date.now() < end);
  }
  void one.run("a", () => until(5))
  until(5)
  void other.run("a", () => until(5))
  until(5)
  void one.run("b", () => until(5))
  await toldAll()
  await toldAll()
  const { lines } = await played(recorder.recording())
  const times = lines.map(({ at }) => at)
  expect(lines.length).toBeGreaterThan(6)
  expect(times).toEqual(times.toSorted((left, right) => left - right))
  await Promise.all([one.drain(), other.drain()])
})

test("only the last minutes are kept, and only so many bytes; the header says what went", async () => {
  await using sessions = createSessions({ name: "crowd", open })
  let now = Date.now()
  const { recorder } = recording({ maxBytes: 300_000, lastMs: 60_000, now: () => now })
  for (let turn = 0; turn < 3000; turn++) {
    await sessions.run("a", () => turn)
    if (turn % 50 === 0) await toldAll()
  }
  await toldAll()
  const full = recorder.state
  expect(full.bytes).toBeLessThanOrEqual(300_000 + 70_000)
  expect(full.left.overwritten).toBeGreaterThan(1000)
  const { events, header } = await played(recorder.recording())
  expect(header.left.overwritten).toBe(full.left.overwritten)
  expect(events.at(-1)?.what).toBe("TaskEnded")
  // Each line has its number: none is missing between those that are left.
  const numbers = events.map(({ seq }) => seq)
  expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index))
  expect(numbers.length + full.left.overwritten).toBe(numbers.at(-1))
  expect((await played(recorder.recording(0))).events.length).toBeLessThanOrEqual(events.length)
  // Later nothing of it is of the last minute any more.
  now += 61_000
  const after = await played(recorder.recording())
  expect(after.lines).toEqual([])
  expect(after.header.from).toBe(now - 60_000)
})

test("more than can be kept at once is counted", async () => {
  const many = createSessions({ name: "burst", open, maxSessions: 100_000 })
  const { recorder } = recording({ sessions: [many], maxBytes: 64 * 1024 * 1024 })
  let told = 0
  many.subscribe(() => void told++)
  // Openings and closings are never dropped by a registry, however many there are.
  const runs: Array<Promise<unknown>> = []
  for (let session = 0; session < 30_000; session++) runs.push(many.run(`s${session}`, () => 1))
  await Promise.all(runs)
  await toldAll()
  const { header } = await played(recorder.recording())
  const { notTold, overwritten, tooMany } = header.left
  expect(tooMany + notTold).toBeGreaterThan(0)
  expect(overwritten).toBe(0)
  await many.drain()
  await toldAll()
  // Each that was told is there, or is said to be missing.
  const all = await played(recorder.recording())
  expect(all.events.length + all.header.left.tooMany).toBe(told)
})

test("warnings are put down with what they rest on", async () => {
  const { recorder } = recording({ sessions: [] })
  const at = Date.now()
  recorder.warning({
    at,
    id: "tasks-accumulating",
    active: true,
    kind: "desk",
    key: "secret-key",
    evidence: { pending: 12, floor: 10.5, odd: Number.NaN, __proto__: 3, "<b>": 1 },
  })
  recorder.warning({ at: at + 1, id: "tasks-accumulating", active: false })
  const { lines } = await played(recorder.recording())
  expect(lines).toMatchObject([
    {
      type: "warning",
      at,
      id: "tasks-accumulating",
      active: true,
      kind: "desk",
      session: keyHash("secret-key"),
      evidence: { pending: 12, floor: 10.5 },
    },
    { type: "warning", active: false },
  ])
})

test("a recording is as of when it was asked for, and goes on being written while more comes", async () => {
  await using sessions = createSessions({ name: "busy", open })
  const { recorder } = recording({ sessions: [sessions] })
  for (let turn = 0; turn < 500; turn++) await sessions.run("a", () => turn)
  await toldAll()
  const first = recorder.recording()
  const reader = first.stream().getReader()
  const chunks: Array<Uint8Array> = [(await reader.read()).value ?? new Uint8Array()]
  for (let turn = 0; turn < 500; turn++) await sessions.run("a", () => turn)
  await toldAll()
  for (let next = await reader.read(); next.value !== undefined; next = await reader.read())
    chunks.push(next.value)
  const { streamOf, readAll } = await import("./support.ts")
  const before = await readAll(streamOf(...chunks))
  const after = await played(recorder.recording())
  expect(before.events.length).toBeLessThan(after.events.length)
  expect(after.events.slice(0, before.events.length)).toEqual(before.events)
  // Leaving early is fine.
  const left = recorder.recording().stream()
  await left.cancel()
})

test("a look at very many kinds says how many it had no room for", async () => {
  const many = Array.from({ length: 199 }, (_, index) =>
    createSessions({ name: `${"x".repeat(110)}${index}`, open }),
  )
  const { clock, recorder } = recording({ sessions: many })
  for (const sessions of many) await sessions.run("a", () => 1)
  clock.next()
  const { samples } = await played(recorder.recording())
  expect(samples[0]?.more).toBeGreaterThan(0)
  expect((samples[0]?.kinds.length ?? 0) + (samples[0]?.more ?? 0)).toBe(199)
  for (const sessions of many) await sessions.drain()
})
