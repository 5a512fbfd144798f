import { Search } from "lucide-react"
import { useEffect, useRef, useState, type ReactNode } from "react"
import { useCommands } from "../keys/useKeys.tsx"
import css from "./FilterInput.module.css"

/** Rest after typing before the server is asked. Milliseconds. */
const rest = 200

interface Typing {
  /** Not handed on yet. */
  readonly typed: string | undefined
  /** Handed on, and not come back as the value. */
  readonly sent: string | undefined
  readonly seen: string
}

/** Text to filter by. `/` goes to it; Escape empties it, and leaves it when it is empty. */
export const FilterInput = ({
  label,
  value,
  onChange,
}: {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
}): ReactNode => {
  const input = useRef<HTMLInputElement>(null)
  const [state, setState] = useState<Typing>({ typed: undefined, sent: undefined, seen: value })
  // What was typed goes on while its own beginning arrives as the value; any other value, by the back button for instance,
  // ends it.
  if (state.seen !== value)
    setState({
      seen: value,
      sent: undefined,
      typed: value === state.sent && state.typed !== value ? state.typed : undefined,
    })
  const text = state.typed ?? value
  const type = (typed: string) => setState((old) => ({ ...old, typed }))
  const change = useRef(onChange)
  useEffect(() => {
    change.current = onChange
  })
  const send = (sent: string) => {
    setState((old) => ({ ...old, sent }))
    change.current(sent)
  }
  useEffect(() => {
    if (text === value) return
    const timer = setTimeout(() => send(text), rest)
    return () => clearTimeout(timer)
  }, [text, value])
  useCommands([
    {
      id: "filter",
      title: `Filter ${label.toLowerCase()}`,
      group: "Table",
      keys: ["/"],
      run: () => {
        input.current?.focus()
        input.current?.select()
      },
    },
  ])
  return (
    <label className={css["filter"]}>
      <Search size={16} aria-hidden />
      <span className="sj-hidden">Filter {label.toLowerCase()}</span>
      <input
        ref={input}
        type="search"
        className={css["input"]}
        placeholder={`Filter ${label.toLowerCase()}  ( / )`}
        maxLength={128}
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => type(event.target.value)}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return
          if (event.key === "Enter" && text !== value) send(text)
          if (event.key !== "Escape") return
          event.preventDefault()
          if (text === "") input.current?.blur()
          else type("")
        }}
      />
    </label>
  )
}
