import { createContext, useContext, useEffect, useRef, type ReactNode } from "react"
import type { Command, Commands } from "./Commands.ts"
import { isSingleKey, press, strokeOf } from "./strokes.ts"

const CommandsContext = createContext<Commands | undefined>(undefined)
export const CommandsProvider = ({
  commands,
  children,
}: {
  readonly commands: Commands
  readonly children: ReactNode
}): ReactNode => <CommandsContext value={commands}>{children}</CommandsContext>

export const useCommandList = (): Commands => {
  const commands = useContext(CommandsContext)
  if (commands === undefined) throw new Error("Views are rendered inside a CommandsProvider.")
  return commands
}

/** Offers commands while the component is on the screen. They may be made anew at each render. */
export const useCommands = (offered: ReadonlyArray<Command>): void => {
  const commands = useCommandList()
  const latest = useRef(offered)
  useEffect(() => {
    latest.current = offered
  })
  // What is listed changes only with what people see of it; what runs is always the latest.
  const listed = JSON.stringify(
    offered.map(({ id, title, group, keys, words, local }) => [id, title, group, keys, words, local]),
  )
  useEffect(
    () =>
      commands.add(
        latest.current.map(({ id, title, group, keys, words, local }) => ({
          id,
          title,
          group,
          keys,
          words,
          local,
          run: () => latest.current.find((command) => command.id === id)?.run(),
        })),
      ),
    [commands, listed],
  )
}

/** How long the next key of a sequence may take. */
const sequenceMs = 1500

const edits = (element: Element): boolean =>
  element.closest("textarea, select, [contenteditable]:not([contenteditable=false])") !== null ||
  (element instanceof HTMLInputElement &&
    !/^(?:button|checkbox|radio|range|reset|submit)$/u.test(element.type))
const acts = (element: Element): boolean =>
  element.closest("button, a[href], input, summary, [role=button], [role=option], [role=slider]") !== null

/**
 * Listens for the keys of all commands. Not while somebody types, not in what is open above the page, not for Space and Enter on what has
 * a meaning for them, and single keys only where they are wanted.
 */
export const useKeys = (
  commands: Commands,
  where: EventTarget | null,
  { singleKeys }: { readonly singleKeys: boolean },
): void => {
  useEffect(() => {
    if (where === null) return
    let pending: ReadonlyArray<string> = []
    let since = 0
    const listen = (event: Event) => {
      if (!(event instanceof KeyboardEvent) || event.defaultPrevented || event.isComposing || event.repeat)
        return
      const stroke = strokeOf(event)
      if (stroke === undefined) return
      const target = event.target instanceof Element ? event.target : null
      if (target?.closest("dialog[open], [popover]") != null) return
      if (!stroke.startsWith("Mod+")) {
        if (target !== null && edits(target)) return
        if ((stroke === "Space" || stroke === "Enter") && target !== null && acts(target)) return
      }
      if (event.timeStamp - since > sequenceMs) pending = []
      const bindings = commands.bindings().filter(({ keys }) => singleKeys || !isSingleKey(keys))
      const pressed = press(bindings, pending, stroke)
      pending = pressed.what === "more" ? pressed.pending : []
      since = event.timeStamp
      if (pressed.what !== "nothing") event.preventDefault()
      if (pressed.what === "command") commands.run(pressed.id)
    }
    where.addEventListener("keydown", listen)
    return () => where.removeEventListener("keydown", listen)
  }, [commands, where, singleKeys])
}
