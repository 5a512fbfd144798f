/** What a generation acquires, written down from its arrival to its release, with a release that may go wrong. */
import type { Opening } from "@sojourn/core"
import type { Life, Piece } from "../book/types.ts"
import { place } from "../book/names.ts"
import type { Random } from "../random.ts"
import { pause } from "../time.ts"
import { callAnother } from "../users/nested.ts"
import type { Scene, Site } from "./Scene.ts"

const manners = {
  clean: 84,
  throws: 3,
  rejects: 3,
  slow: 4,
  hangs: 3,
  "hangs until let go": 1,
  "calls another": 2,
} as const
export type Manner = keyof typeof manners

/** In kinds that are dear to open nothing hangs on purpose. */
export const mannerOf = (site: Site, random: Random): Manner =>
  site.kind === "database" ? (random.chance(0.2) ? "rejects" : "clean") : random.weighted(manners)

/** Runs the real release in any case, before or after what goes wrong. */
export const releaser =
  (
    scene: Scene,
    site: Site,
    life: Life,
    piece: Piece,
    manner: Manner,
    random: Random,
    release: () => unknown,
  ) =>
  (): unknown => {
    const { book, tally } = scene
    book.release(life, piece)
    if (manner === "throws") {
      tally.fire("finalizer throws")
      const error = new Error(`finalizer of ${place(site.record, life.key)} threw`)
      const ended: unknown = release()
      if (ended instanceof Promise) ended.catch(() => {})
      book.releaseEnd(life, piece, error)
      throw error
    }
    return (async () => {
      let error: unknown
      try {
        try {
          await delay(scene, site, life, manner, random)
        } finally {
          await release()
        }
        if (manner === "rejects") {
          tally.fire("finalizer rejects")
          throw new Error(`finalizer of ${place(site.record, life.key)} rejected`)
        }
      } catch (thrown) {
        error = thrown
        throw thrown
      } finally {
        book.releaseEnd(life, piece, error)
      }
    })()
  }

/** What it does before it comes to its business. */
const delay = async (scene: Scene, site: Site, life: Life, manner: Manner, random: Random): Promise<void> => {
  const { gates, tally } = scene
  switch (manner) {
    case "slow":
      tally.fire("finalizer is slow")
      return pause(random.between(10, 150))
    case "hangs":
      tally.fire("finalizer hangs for a while")
      return pause(random.between(200, 1200))
    case "hangs until let go":
      if (!gates.take()) return
      tally.fire("finalizer hangs until let go")
      return gates.wait()
    case "calls another":
      tally.fire("finalizer calls another session")
      return callAnother(scene, site, { life }, random)
    case "clean":
    case "rejects":
    case "throws":
  }
}

/** Something that only has to be given back: by a finalizer, or by what the resource itself can do. */
export const hold = async (
  scene: Scene,
  site: Site,
  opening: Opening,
  life: Life,
  random: Random,
): Promise<void> => {
  const give = (piece: Piece): (() => unknown) =>
    releaser(scene, site, life, piece, mannerOf(site, random), random, () => {})
  const way = random.weighted({ onClose: 4, use: 3, disposable: 1, asyncDisposable: 1 })
  if (way === "onClose") {
    const piece = scene.book.piece(life, way, true)
    return opening.onClose(give(piece))
  }
  const piece = scene.book.piece(life, way, false)
  const release = give(piece)
  const arrive = async (): Promise<Piece> => {
    if (random.chance(0.3)) await pause(random.between(1, 30))
    piece.registered = scene.book.moment()
    return piece
  }
  if (way === "use") await opening.use(arrive(), () => release())
  else {
    const dispose = way === "disposable" ? Symbol.dispose : Symbol.asyncDispose
    await opening.use(arrive().then(() => ({ [dispose]: release }) as unknown as AsyncDisposable))
  }
}

/** Comes long after `open` has gone on, maybe after the generation is over; nobody waits for it. */
export const holdLater = (scene: Scene, site: Site, opening: Opening, life: Life, random: Random): void => {
  const piece = scene.book.piece(life, "late", false)
  const late = async (): Promise<Piece> => {
    await pause(random.between(50, 900))
    piece.registered = scene.book.moment()
    scene.tally.fire("a resource arrives late")
    return piece
  }
  opening
    .use(
      late(),
      releaser(scene, site, life, piece, "clean", random, () => {}),
    )
    .catch(() => {})
}
