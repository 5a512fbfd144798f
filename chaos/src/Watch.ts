/** Looks at a round while it goes on: who waits too long, and whether each registry's own counts are ours. */
import type { Explanation } from "@sojourn/core"
import type { Book } from "./book/Book.ts"
import { place } from "./book/names.ts"
import type { SiteRecord } from "./book/types.ts"
import { violations } from "./oracle/Facts.ts"
import { counts } from "./oracle/counts.ts"
import { overdue } from "./oracle/overdue.ts"
import type { Stalls } from "./Stalls.ts"
import type { Scene } from "./world/Scene.ts"

const everyMs = 250

export class Watch {
  readonly #scene: Scene
  readonly #stalls: Stalls
  readonly #timer: NodeJS.Timeout
  constructor(scene: Scene, stalls: Stalls) {
    this.#scene = scene
    this.#stalls = stalls
    this.#timer = setInterval(() => this.look(), everyMs)
  }
  look(): void {
    const { book, former, sites } = this.#scene
    this.#stalls.catchUp()
    for (const found of violations("told", overdue(book, book.open, performance.now()))) blame(book, found)
    // A timer's callback: every microtask is done, so nothing is on its way between the engine and the book.
    for (const { record, sessions } of [...sites, ...former]) {
      for (const found of violations("counts", counts(book.queued, record, sessions.snapshot())))
        blame(book, found)
      this.#explainOne(record, sessions.explain)
    }
  }
  #explainOne(record: SiteRecord, explain: (key: string) => Explanation): void {
    const { book, random } = this.#scene
    const open = [...book.queued].filter((call) => call.site === record)
    const one = random.pick(open)
    // Keys with an owner are no plain text; their sessions are explained by users who have the key itself.
    if (one === undefined || one.key.includes("~")) return
    const waiting = open.filter((call) => call.key === one.key)
    const queued = explain(one.key).tasks.filter((task) => task.state === "queued")
    if (queued.length === waiting.length) return
    book.violated(
      "counts",
      `${queued.length} tasks wait as explained, ${waiting.length} by the book`,
      place(record, one.key),
    )
  }
  stop(): void {
    clearInterval(this.#timer)
  }
}

const blame = (book: Book, { about, rule, what }: Book["found"][number]): void =>
  book.violated(rule, what, about)
