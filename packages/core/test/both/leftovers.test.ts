import { describe, expect, test } from "vitest"
import { faces } from "../support/faces.ts"
import { settle } from "../support/VirtualClock.ts"
import { watch, type Watched } from "../support/watch.ts"

const serialOf = (thing: { readonly serial: number }): number => thing.serial

describe.each(faces)("$face", ({ world }) => {
  /** A turn has ended and left a timer behind, which uses its session at 10. */
  const left = async (policy: Parameters<typeof world>[0] = {}) => {
    const it = world(policy)
    const { clock, sessions } = it
    const behind: Array<Watched> = []
    await sessions.run("a", () => {
      behind.push(
        watch(
          clock,
          clock.after(10).then(() => sessions.run("a", serialOf)),
        ),
      )
    })
    return { ...it, behind }
  }

  test("L7, L6: a timer left over by an ended turn waits behind a later turn, like any other call", async () => {
    const { behind, clock, sessions } = await left()
    const later = watch(
      clock,
      sessions.run("a", () => clock.after(50)),
    )
    await clock.advance(49)
    expect(behind).toMatchObject([{ outcome: "pending" }])
    await clock.advance(1)
    expect(later.outcome).toBe("value undefined")
    expect(behind).toMatchObject([{ outcome: "value 1", at: 50 }])
  })

  test("L7, L6: and takes no slot before those that wait, where there are several", async () => {
    const { behind, clock, sessions } = await left({ concurrency: 2 })
    const order: Array<string> = []
    const turn = (name: string, ms: number) =>
      sessions.run("a", async () => {
        order.push(name)
        await clock.after(ms)
      })
    const turns = [turn("long", 60), turn("short", 30), turn("waiting", 10)]
    await clock.advance(10)
    expect(order).toEqual(["long", "short"])
    await clock.advance(29)
    expect(behind).toMatchObject([{ outcome: "pending" }])
    await clock.advance(60)
    await Promise.all(turns)
    expect(behind).toMatchObject([{ outcome: "value 1", at: 40 }])
  })

  test("L7: it is served by the next generation too, which its turn never had a slot of", async () => {
    const { behind, clock, sessions } = await left()
    await sessions.restart("a")
    await clock.advance(10)
    await settle()
    expect(behind).toMatchObject([{ outcome: "value 2", at: 10 }])
  })

  test("L7: nor does its turn's end count for a session that the turn had called", async () => {
    const { clock, sessions } = world()
    const behind: Array<Watched> = []
    // b's turn is called from a's; when both have ended, b's timer uses a while a turn of a waits for b.
    await sessions.run("a", () =>
      sessions.run("b", () => {
        behind.push(
          watch(
            clock,
            clock.after(10).then(() => sessions.run("a", serialOf)),
          ),
        )
      }),
    )
    const later = watch(
      clock,
      sessions.run("a", () => clock.after(50)),
    )
    await clock.advance(60)
    expect(later.outcome).toBe("value undefined")
    expect(behind).toMatchObject([{ outcome: "value 1", at: 50 }])
  })
})
