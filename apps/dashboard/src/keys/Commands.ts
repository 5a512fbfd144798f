/** What can be done in the views on the screen, each once: for keys, the palette and the help. */
import { Store, type Readable } from "../state/Store.ts"
import type { Binding } from "./strokes.ts"

export interface Command {
  /** Unique; a later one of the same id stands in for an earlier one while it is there. */
  readonly id: string
  readonly title: string
  readonly group: string
  /** Each a way to call it: `["g s"]`. None: the palette only. */
  readonly keys: ReadonlyArray<string>
  readonly run: () => void
  /** Further words that the palette finds it by. */
  readonly words?: string | undefined
  /** Not in the palette: it means something only where the focus is. */
  readonly local?: boolean | undefined
}

export class Commands implements Readable<ReadonlyArray<Command>> {
  readonly #all = new Store<ReadonlyArray<Command>>([])

  readonly get = (): ReadonlyArray<Command> => this.#all.get()
  readonly subscribe = (listener: () => void): (() => void) => this.#all.subscribe(listener)

  /** Gives what takes them away again. */
  add(commands: ReadonlyArray<Command>): () => void {
    this.#all.set([...this.#all.get(), ...commands])
    return () => this.#all.set(this.#all.get().filter((command) => !commands.includes(command)))
  }

  /** Those that count, one for each id: the last one given, at the place of the first. */
  current(): ReadonlyArray<Command> {
    return [...new Map(this.#all.get().map((command) => [command.id, command])).values()]
  }

  bindings(): ReadonlyArray<Binding> {
    return this.current().flatMap(({ id, keys, local }) =>
      local === true ? [] : keys.map((written): Binding => ({ id, keys: written })),
    )
  }

  run(id: string): boolean {
    const command = this.#all.get().findLast((known) => known.id === id)
    command?.run()
    return command !== undefined
  }
}
