import { ArrowDown, ArrowUp, Columns3 } from "lucide-react"
import type { ReactNode } from "react"
import { IconButton } from "../ui/Button.tsx"
import { Popover } from "../ui/Popover.tsx"
import type { Column } from "./columns.ts"
import css from "./ColumnChooser.module.css"

/** Which columns there are, and in what order. */
export const ColumnChooser = <Row,>({
  columns,
  chosen,
  onChange,
}: {
  readonly columns: ReadonlyArray<Column<Row>>
  readonly chosen: ReadonlyArray<string>
  readonly onChange: (chosen: ReadonlyArray<string>) => void
}): ReactNode => {
  const rest = columns.filter(({ id }) => !chosen.includes(id))
  const listed = [...chosen.flatMap((id) => columns.filter((column) => column.id === id)), ...rest]
  const swap = (from: number, to: number) => {
    const next = [...chosen]
    const [id] = next.splice(from, 1)
    if (id !== undefined) next.splice(to, 0, id)
    onChange(next)
  }
  return (
    <Popover
      label="Columns"
      part="columns"
      button={
        <>
          <Columns3 size={16} aria-hidden /> Columns
        </>
      }
    >
      {() => (
        <ul className={css["list"]}>
          {listed.map(({ id, title, always }, index) => {
            const on = chosen.includes(id)
            return (
              <li key={id} className={css["line"]}>
                <label className={css["name"]}>
                  <input
                    type="checkbox"
                    checked={on}
                    disabled={always}
                    onChange={() => onChange(on ? chosen.filter((other) => other !== id) : [...chosen, id])}
                  />
                  {title}
                </label>
                <IconButton
                  label={`Move ${title} up`}
                  disabled={!on || index === 0}
                  onPress={() => swap(index, index - 1)}
                >
                  <ArrowUp size={14} aria-hidden />
                </IconButton>
                <IconButton
                  label={`Move ${title} down`}
                  disabled={!on || index >= chosen.length - 1}
                  onPress={() => swap(index, index + 1)}
                >
                  <ArrowDown size={14} aria-hidden />
                </IconButton>
              </li>
            )
          })}
        </ul>
      )}
    </Popover>
  )
}
