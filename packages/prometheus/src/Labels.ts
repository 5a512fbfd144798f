/** Which names become labels. A name beyond the bounds is counted as `other`, from its first time on and for good. */
export const mostKinds = 50
export const mostTasksOfAKind = 50
/** Of all kinds together: with six outcomes and fourteen buckets each this stays a page that can be scraped. */
export const mostTasks = 300
export const other = "other"

/** What the registry was called when others of its name are live: `room#2`. */
const displayNumber = /(?<=.)#(?:[2-9]|[1-9]\d+)$/s

export class Labels {
  readonly #kinds = new Map<string, Set<string>>()
  #tasks = 0

  /** The kind of a registry of this name; those of `room` and `room#2` are the same. */
  kindOf(name: string): string {
    const kind = kindIn(name)
    if (this.#kinds.has(kind)) return kind
    const shown = this.#kinds.size < mostKinds ? kind : other
    if (!this.#kinds.has(shown)) this.#kinds.set(shown, new Set())
    return shown
  }
  taskOf(kind: string, task: string): string {
    const tasks = this.#kinds.get(kind)
    if (tasks === undefined || task === other || tasks.has(task)) return task
    if (tasks.size >= mostTasksOfAKind || this.#tasks >= mostTasks) return other
    tasks.add(task)
    this.#tasks++
    return task
  }
}

/** What the registries of this name are called, if there is a label for it. */
export const kindIn = (name: string): string => name.replace(displayNumber, "")
