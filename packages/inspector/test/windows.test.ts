/** Pages against a reference that sorts everything, and windows against the registry itself. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Best, compareValues, type Value } from "../src/windows/Best.ts"
import { Far } from "../src/windows/Far.ts"
import { ask, hanging, rooms, serve } from "./support.ts"

const numbers = fc.array(fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }), { maxLength: 300 })
const texts = fc.array(fc.option(fc.constantFrom("a", "b", "Z", "ä"), { nil: undefined }), { maxLength: 100 })
const mixed = fc.array(fc.oneof(fc.nat(5), fc.constant(undefined)), { maxLength: 50 })
const lists: fc.Arbitrary<Array<Value>> = fc.oneof(numbers, texts, mixed)

const reference = (values: ReadonlyArray<Value>, offset: number, limit: number, descending: boolean) =>
  values
    .map((value, index) => ({ value, index }))
    .toSorted((a, b) => compareValues(a.value, b.value, descending) || a.index - b.index)
    .slice(offset, offset + limit)
    .map(({ index }) => index)

describe("a page is what sorting everything would give", () => {
  it("by a heap", () => {
    fc.assert(
      fc.property(
        lists,
        fc.nat(60),
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        (values, offset, limit, down) => {
          const best = new Best<number>(offset + limit, down)
          values.forEach((value, index) => best.add(value, index))
          expect(best.from(offset)).toEqual(reference(values, offset, limit, down))
        },
      ),
      { numRuns: 500 },
    )
  })
  it("far from the beginning", () => {
    fc.assert(
      fc.property(
        lists,
        fc.nat(300),
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        (values, offset, limit, down) => {
          const far = new Far<number>(down)
          values.forEach((value, index) => far.add(value, index))
          expect(far.page(offset, limit)).toEqual(reference(values, offset, limit, down))
        },
      ),
      { numRuns: 500 },
    )
  })
  it("and what is in order already, or all the same, takes no longer than it must", () => {
    const size = 50_000
    for (const value of [(index: number) => index, (index: number) => -index, () => 0]) {
      const far = new Far<number>(false)
      for (let index = 0; index < size; index++) far.add(value(index), index)
      expect(far.page(size - 10, 10)).toHaveLength(10)
    }
  })
})

describe("a window onto sessions", () => {
  const many = async () => {
    const a = rooms()
    const b = rooms()
    for (let index = 0; index < 30; index++)
      for (let turn = 0; turn <= index % 5; turn++) await a.run(`s${index}`, () => 1)
    for (let index = 0; index < 4; index++) await b.run({ owner: "o", id: `t${index}` }, () => 1)
    const hang = hanging()
    const work = b.run({ owner: "o", id: "t0" }, hang.work)
    await hang.began
    work.catch(() => {})
    const { url } = await serve({ sessions: [a, b], show: ({ id }) => `Room ${id}` })
    const get = async (query: string) => (await ask(`${url}/sessions?${query}`, "sessions")).sessions
    return { a, b, get, url }
  }

  it("filters, orders, pages and counts", async () => {
    const { a, b, get } = await many()
    const all = await get("limit=200&sort=-turns")
    expect(all.total).toBe(34)
    expect(all.rows).toHaveLength(34)
    const turns: Array<number> = all.rows.map(({ turns: one }: { turns: number }) => one)
    expect(turns).toEqual(turns.toSorted((x, y) => y - x))
    const pages = [await get("limit=10&sort=-turns"), await get("limit=10&offset=10&sort=-turns")]
    expect(pages.flatMap(({ rows }) => rows)).toEqual(all.rows.slice(0, 20))
    expect((await get("offset=33&sort=-turns")).rows).toEqual(all.rows.slice(33))
    expect((await get("offset=34")).rows).toEqual([])
    expect((await get("sort=-turns&offset=2000&limit=5")).rows).toEqual([])
    expect((await get(`kind=${b.name}&idle=true`)).total).toBe(3)
    expect((await get("idle=false")).rows).toHaveLength(1)
    const shown = (await get(`sort=shown&kind=${a.name}&limit=3`)).rows.map(
      ({ shown: one }: { shown: string }) => one,
    )
    expect(shown).toEqual(["Room s0", "Room s1", "Room s10"])
  })

  it("counts for each filter what it would give if it were another", async () => {
    const { a, b, get } = await many()
    const { facets, total } = await get(`kind=${b.name}&idle=true`)
    expect(total).toBe(3)
    expect(facets.kind).toEqual([
      { name: a.name, count: 30 },
      { name: b.name, count: 3 },
    ])
    expect(facets.idle).toBe(3)
    expect(facets.state).toMatchObject({ Ready: 3, Opening: 0 })
    const other = await get(`kind=${b.name}&state=Opening`)
    expect([other.total, other.facets.state.Ready, other.facets.state.Opening]).toEqual([0, 4, 0])
  })

  it("finds by shown name in whatever case, and by the beginning of a hash", async () => {
    const { get } = await many()
    expect((await get("text=rOOM%20t")).total).toBe(4)
    expect((await get("text=nothing")).total).toBe(0)
    const [row] = (await get("limit=1")).rows
    const found = await get(`text=${row.hash.slice(0, 8).toUpperCase()}`)
    expect(found.rows).toEqual([row])
    expect(found.unsearched).toBe(0)
  })

  it("goes on searching where one look does not suffice", async () => {
    const a = rooms()
    for (let index = 0; index < 50; index++) await a.run(`s${index}`, () => 1)
    const busy = (ms: number): void => {
      const until = performance.now() + ms
      while (performance.now() < until);
    }
    const { url } = await serve({
      sessions: [a],
      show: ({ id }) => {
        busy(1)
        return id
      },
    })
    let looks = 0
    for (let left = 1; left > 0; looks++) {
      const { sessions } = await ask(`${url}/sessions?text=s4&limit=1`, "sessions")
      if (sessions.unsearched > 0) expect(sessions.total).toBeLessThan(11)
      else expect(sessions.total).toBe(11)
      left = sessions.unsearched
    }
    expect(looks).toBeGreaterThan(2)
  })

  it("is asked for a session that was never shown by its hash alone", async () => {
    const { keyHash } = await import("@sojourn/core/host")
    const { a, url } = await many()
    const key = { owner: "Änne", id: "x/y" }
    await a.run(key, () => 1)
    const { session } = await ask(`${url}/sessions/${a.name}/${keyHash(key)}`, "session")
    expect(session.session.shown).toBe("Room x/y")
    const { url: other } = await serve({ sessions: [a] })
    const found = await Promise.all(
      [keyHash(key), keyHash("s3"), keyHash(key)].map((hash) => fetch(`${other}/sessions/${a.name}/${hash}`)),
    )
    expect(found.map(({ status }) => status)).toEqual([200, 200, 200])
  })
})

describe("a window onto tasks", () => {
  it("filters by state, sort, name, session and age", async () => {
    const a = rooms()
    const hang = hanging()
    const works = ["one", "two"].flatMap((key) => [
      a.run(key, hang.work, { name: "long" }),
      a.run(key, () => 1, { name: "short" }),
    ])
    await hang.began
    const { url } = await serve({ sessions: [a] })
    const get = async (query: string) => (await ask(`${url}/tasks?${query}`, "tasks")).tasks
    const all = await get("sort=-queuedAt")
    expect(all.total).toBe(4)
    expect(all.facets.state).toMatchObject({ queued: 2, running: 2 })
    expect(all.facets.name).toEqual(
      expect.arrayContaining([
        { name: "long", count: 2 },
        { name: "short", count: 2 },
      ]),
    )
    expect((await get("state=queued&name=short")).total).toBe(2)
    expect((await get("text=ONG")).total).toBe(2)
    expect((await get("olderThanMs=60000")).total).toBe(0)
    const [row] = all.rows
    const ofOne = await get(`session=${a.name}/${row.session}`)
    expect(ofOne.rows.map(({ session }: { session: string }) => session)).toEqual([row.session, row.session])
    expect(ofOne.facets.name).toHaveLength(2)
    hang.end()
    await Promise.all(works)
    expect((await get("")).total).toBe(0)
    expect(
      (await get("ended=true&state=succeeded&sort=name")).rows.map(({ name }: { name: string }) => name),
    ).toEqual(["long", "long", "short", "short"])
  })
})
