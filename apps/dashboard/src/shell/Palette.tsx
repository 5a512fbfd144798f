import { useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react"
import { useCommandList } from "../keys/useKeys.tsx"
import { useStore } from "../state/useStore.ts"
import { Text } from "../text/Text.tsx"
import { Dialog } from "../ui/Dialog.tsx"
import { Keys } from "../ui/Keys.tsx"
import { rank } from "./rank.ts"
import css from "./Palette.module.css"

/** Every command of the views on the screen, found by typing. */
export const Palette = ({ onClose }: { readonly onClose: () => void }): ReactNode => {
  const commands = useCommandList()
  useStore(commands)
  const id = useId()
  const [typed, setTyped] = useState("")
  const [at, setAt] = useState(0)
  const list = useRef<HTMLUListElement>(null)
  const found = rank(
    typed,
    commands.current().filter(({ id: name, local }) => name !== "palette" && local !== true),
  )
  const active = Math.min(at, found.length - 1)
  const move = (to: number) => {
    setAt(to)
    list.current?.children[to]?.scrollIntoView({ block: "nearest" })
  }
  const run = (index: number) => {
    const command = found[index]
    if (command === undefined) return
    onClose()
    // After the dialog has given the focus back, so that the command may move it.
    setTimeout(() => commands.run(command.id), 0)
  }
  const key = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return
    const last = found.length - 1
    const to: Readonly<Record<string, number>> = {
      ArrowDown: active >= last ? 0 : active + 1,
      ArrowUp: active <= 0 ? last : active - 1,
      PageDown: Math.min(last, active + 8),
      PageUp: Math.max(0, active - 8),
    }
    const next = to[event.key]
    if (next !== undefined) {
      event.preventDefault()
      move(next)
    } else if (event.key === "Enter") {
      event.preventDefault()
      run(active)
    }
  }
  return (
    <Dialog title="Command palette" onClose={onClose} bare part="palette">
      <input
        className={css["input"]}
        data-autofocus
        role="combobox"
        aria-label="Search commands"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={found.length === 0 ? undefined : `${id}-${active}`}
        autoComplete="off"
        spellCheck={false}
        placeholder="Type a command"
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value)
          setAt(0)
        }}
        onKeyDown={key}
      />
      <ul ref={list} id={`${id}-list`} role="listbox" aria-label="Commands" className={css["list"]}>
        {found.map(({ id: name, title, group, keys }, index) => (
          // The keys are those of the field, which keeps the focus.
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
          <li
            key={name}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active}
            className={css["option"]}
            onPointerMove={() => setAt(index)}
            onClick={() => run(index)}
          >
            <span className={css["title"]}>
              <Text value={title} />
            </span>
            <span className={css["group"]}>{group}</span>
            {keys[0] !== undefined && <Keys keys={keys[0]} />}
          </li>
        ))}
      </ul>
      <p role="status" className={found.length === 0 ? "sj-note" : "sj-hidden"}>
        {found.length === 0 ? "No command is called that." : `${found.length} commands`}
      </p>
    </Dialog>
  )
}
