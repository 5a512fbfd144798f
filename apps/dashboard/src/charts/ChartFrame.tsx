import { Table2 } from "lucide-react"
import { useId, useState, type ReactNode } from "react"
import { Button } from "../ui/Button.tsx"
import css from "./ChartFrame.module.css"

export interface TableOf {
  readonly head: ReadonlyArray<string>
  /** Made when it is looked at. */
  readonly rows: () => ReadonlyArray<ReadonlyArray<string>>
}

/** Rows of a chart's table; what is older is in the chart. */
const mostTableRows = 300

/** A title, a sentence that says what is to be seen, the chart, and the same as a table. */
export const ChartFrame = ({
  title,
  summary,
  table,
  legend,
  children,
}: {
  readonly title: string
  readonly summary: string
  readonly table: TableOf
  readonly legend?: ReactNode
  readonly children: ReactNode
}): ReactNode => {
  const [asTable, setAsTable] = useState(false)
  const id = useId()
  return (
    <figure
      className={css["frame"]}
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-summary`}
      data-part="chart"
    >
      <div className={css["head"]}>
        <h2 id={`${id}-title`} className={css["title"]}>
          {title}
        </h2>
        <Button
          tone="quiet"
          pressed={asTable}
          onPress={() => setAsTable(!asTable)}
          title={`${title} as a table`}
        >
          <Table2 size={14} aria-hidden />
          <span className="sj-hidden">{title} as a table</span>
        </Button>
      </div>
      {asTable ? <DataTable title={title} table={table} /> : children}
      {!asTable && legend}
      <figcaption id={`${id}-summary`} className={css["summary"]}>
        {summary}
      </figcaption>
    </figure>
  )
}

const DataTable = ({ title, table }: { readonly title: string; readonly table: TableOf }): ReactNode => {
  const rows = table.rows()
  return (
    // It is scrolled with the keyboard.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={css["scroll"]} tabIndex={0} role="region" aria-label={`${title}, table`}>
      <table className={css["table"]}>
        <thead>
          <tr>
            {table.head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, mostTableRows).map(([first, ...rest], index) => (
            // oxlint-disable-next-line react/no-array-index-key -- A place in time, not a thing that moves.
            <tr key={index}>
              <th scope="row">{first}</th>
              {rest.map((value, column) => (
                // oxlint-disable-next-line react/no-array-index-key
                <td key={column}>{value}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > mostTableRows && <p className="sj-note">And {rows.length - mostTableRows} more.</p>}
    </div>
  )
}
