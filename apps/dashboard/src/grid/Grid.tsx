import { ArrowDown, ArrowUp } from "lucide-react"
import {
  memo,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type CSSProperties,
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
} from "react"
import { strokeOf } from "../keys/strokes.ts"
import { useCommands } from "../keys/useKeys.tsx"
import { useStore } from "../state/useStore.ts"
import { formatCount } from "../text/format.ts"
import { visible } from "../text/visible.ts"
import type { Sort } from "../url/params.ts"
import { waitingWords, type Placed } from "./arrange.ts"
import type { Column } from "./columns.ts"
import { GridModel, type Hold } from "./GridModel.ts"
import { moved, type Cell } from "./move.ts"
import { isSelected, mostSelected, nothingSelected, toggled, type RowSource, type Selection } from "./rows.ts"
import { RowElements } from "./rowKeys.ts"
import { scrollFor, viewport } from "./viewport.ts"
import css from "./Grid.module.css"

/** Something that can be done to the selected rows, or to the one the focus is on where none is selected. */
export interface RowAction {
  readonly id: string
  readonly title: string
  /** One key, such as `c`. */
  readonly key?: string | undefined
  readonly run: (selection: Selection) => void
}

export interface GridProps<Row> {
  /** What the rows are: "Sessions". */
  readonly label: string
  readonly source: RowSource<Row>
  readonly idOf: (row: Row) => string
  /** What a row is called, for who does not see it. */
  readonly nameOf: (row: Row) => string
  /** Those shown, in order. The same array until they change. */
  readonly columns: ReadonlyArray<Column<Row>>
  readonly sort: Sort<string>
  readonly onSort: (sort: Sort<string>) => void
  /** Whatever decides which rows there are, and in what order: with another one, everything begins anew. */
  readonly question: string
  /** Without it, rows cannot be selected. */
  readonly selection?: Selection | undefined
  readonly onSelection?: ((selection: Selection) => void) | undefined
  readonly onOpen?: ((row: Row) => void) | undefined
  readonly actions?: ReadonlyArray<RowAction> | undefined
  /** Where there are none. */
  readonly empty: ReactNode
}

/** Rows rendered beyond those that are seen, above and below. */
const beyond = 3
/** Rows asked for beyond those that are seen. */
const ahead = 40
/** At most one question for rows in this time while scrolling. Milliseconds. */
const askEvery = 80
const selectWidth = 36

/** A window onto rows of a server, of which there may be millions, as an ARIA grid. */
export const Grid = <Row,>(props: GridProps<Row>): ReactNode => {
  const { label, source, idOf, nameOf, columns, sort, onSort, question, onSelection, onOpen, empty } = props
  const selection = props.selection ?? nothingSelected
  const actions = props.actions ?? noActions
  const [holds] = useState(() => new Set<Hold>())
  const model = useMemo(() => new GridModel(source, idOf, holds), [source, idOf, holds])
  const shown = useStore(model)
  const scroller = useRef<HTMLDivElement>(null)
  const [measured, setMeasured] = useState({ rowHeight: 36, viewHeight: 0 })
  const [scrolled, setScrolled] = useState(0)
  const [active, setActive] = useState<Cell>({ row: 0, column: 0 })
  /** The focus is to follow the active cell once it is on the screen. */
  const follow = useRef(false)
  const anchor = useRef<number | undefined>(undefined)

  const total = shown?.total ?? 0
  const measures = { total, ...measured }
  const view = viewport(measures, scrolled)
  const selects = onSelection !== undefined
  const lead = selects ? 1 : 0
  const width = columns.length + lead
  // Fewer rows or columns than before: the nearest that is left.
  const at: Cell = {
    row: Math.min(active.row, Math.max(-1, total - 1)),
    column: Math.min(active.column, width - 1),
  }
  const rowAt = (index: number): Placed<Row> | undefined => shown?.at.get(index)

  useLayoutEffect(() => {
    const element = scroller.current
    if (element === null) return
    const measure = () => {
      const rowHeight = element.querySelector<HTMLElement>("[data-head]")?.offsetHeight ?? 36
      const viewHeight = Math.max(0, element.clientHeight - rowHeight)
      setMeasured((old) =>
        old.rowHeight === rowHeight && old.viewHeight === viewHeight ? old : { rowHeight, viewHeight },
      )
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  // Which rows are wanted. The newest wish is asked at once, then at most every so often.
  const asked = useRef({ at: 0, timer: 0 })
  const { first, count } = view
  useEffect(() => {
    const wish = asked.current
    const ask = () => {
      wish.at = performance.now()
      source.ask(Math.max(0, first - ahead), Math.max(count, 1) + 2 * ahead)
    }
    clearTimeout(wish.timer)
    const wait = wish.at + askEvery - performance.now()
    if (wait <= 0) ask()
    else wish.timer = window.setTimeout(ask, wait)
    return () => clearTimeout(wish.timer)
  }, [source, first, count, question])

  const asking = useRef(question)
  useLayoutEffect(() => {
    if (asking.current === question) return
    asking.current = question
    model.reset()
    anchor.current = undefined
    setActive(({ row, column }) => ({ row: Math.min(row, 0), column }))
    if (scroller.current !== null) scroller.current.scrollTop = 0
    setScrolled(0)
  }, [model, question])

  const selected = selection.mode === "all" || selection.ids.size > 0
  useEffect(() => model.hold("selection", selected), [model, selected])

  const goTo = useCallback(
    (cell: Cell) => {
      const element = scroller.current
      if (element !== null && cell.row >= 0) {
        const to = scrollFor({ total, ...measured }, element.scrollTop, cell.row)
        if (to !== element.scrollTop) {
          element.scrollTop = to
          setScrolled(element.scrollTop)
        }
      }
      follow.current = true
      setActive(cell)
    },
    [total, measured],
  )
  useLayoutEffect(() => {
    if (!follow.current) return
    const cell = scroller.current?.querySelector<HTMLElement>("[tabindex='0'][data-cell]")
    if (cell == null) return
    follow.current = false
    if (cell !== document.activeElement) cell.focus({ preventScroll: true })
    cell.scrollIntoView({ block: "nearest", inline: "nearest" })
  })

  const sortBy = ({ id, sortable }: Column<Row>) => {
    if (sortable === true) onSort({ column: id, descending: sort.column === id && !sort.descending })
  }
  const select = (index: number) => {
    const placed = rowAt(index)
    if (placed !== undefined) onSelection?.(toggled(selection, placed.id))
  }
  const extend = (to: number) => {
    anchor.current ??= at.row
    const ids = new Set<string>()
    const step = anchor.current < to ? 1 : -1
    for (let index = anchor.current; ids.size < mostSelected; index += step) {
      const placed = rowAt(index)
      if (placed !== undefined) ids.add(placed.id)
      if (index === to) break
    }
    onSelection?.({ mode: "some", ids })
  }
  const apply = () => {
    const id = rowAt(at.row)?.id
    const index = model.apply(id)
    goTo({ row: index ?? at.row, column: at.column })
  }
  const act = (action: RowAction) => {
    if (selected) return action.run(selection)
    const placed = rowAt(at.row)
    if (placed !== undefined) action.run({ mode: "some", ids: new Set([placed.id]) })
  }

  const pressed = (event: KeyboardEvent) => {
    const stroke = strokeOf(event)
    if (stroke === undefined || event.nativeEvent.isComposing) return
    const page = Math.max(1, Math.floor(measured.viewHeight / measured.rowHeight) - 1)
    const bounds = { rows: total, columns: width, page }
    const plain = stroke.startsWith("Shift+Arrow") && selects ? stroke.slice(6) : stroke
    const to = moved(at, plain, bounds)
    if (to !== undefined) {
      event.preventDefault()
      if (plain !== stroke && to.row >= 0) extend(to.row)
      else anchor.current = undefined
      return goTo(to)
    }
    const column = columns[at.column - lead]
    const placed = rowAt(at.row)
    const done = (): true => {
      event.preventDefault()
      return true
    }
    if (stroke === "Enter") {
      if (at.row === -1 && column !== undefined) return done() && sortBy(column)
      if (at.row === -1 && selects) return done() && selectAll()
      if (at.row >= 0 && at.column < lead) return done() && select(at.row)
      if (placed !== undefined && onOpen !== undefined) return done() && onOpen(placed.row)
    }
    if (selects && (stroke === "x" || stroke === "Shift+Space") && at.row >= 0)
      return done() && select(at.row)
    if (selects && stroke === "Space" && at.column < lead)
      return done() && (at.row === -1 ? selectAll() : select(at.row))
    if (selects && stroke === "Mod+a") return done() && onSelection({ mode: "all" })
    if (selects && stroke === "Escape" && selected) return done() && onSelection(nothingSelected)
    if (stroke === "r" && waiting !== undefined) return done() && apply()
    const action = actions.find(({ key }) => key === stroke)
    if (action !== undefined && at.row >= 0) return done() && act(action)
  }
  const selectAll = () => onSelection?.(selection.mode === "all" ? nothingSelected : { mode: "all" })

  const clicked = (event: MouseEvent) => {
    const target = event.target instanceof Element ? event.target : null
    const cell = target === null ? undefined : cellOf(target)
    if (cell === undefined) return
    const { row, column } = cell
    setActive(cell)
    if (row === -1) {
      const head = columns[column - lead]
      return head === undefined ? selectAll() : sortBy(head)
    }
    if (column < lead) {
      if (event.shiftKey) return extend(row)
      anchor.current = row
      return select(row)
    }
    if (target?.closest("a, button, input") !== null) return
    // Text that somebody marks is not to be taken away by opening the row.
    const placed = rowAt(row)
    if (placed !== undefined && getSelection()?.isCollapsed !== false) onOpen?.(placed.row)
  }

  const enter = () => goTo({ row: Math.max(0, at.row), column: at.column })
  useCommands([
    { id: "grid.next", title: "Next row", group: "Table", keys: ["j"], run: enter },
    { id: "grid.previous", title: "Previous row", group: "Table", keys: ["k"], run: enter },
    { id: "grid.open", title: "Open the row", group: "Table", keys: ["Enter"], run: enter, local: true },
    ...(selects
      ? [
          {
            id: "grid.select",
            title: "Select the row",
            group: "Table",
            keys: ["x"],
            run: () => select(at.row),
          },
          {
            id: "grid.all",
            title: "Select all that match",
            group: "Table",
            keys: ["Mod+a"],
            local: true,
            run: () => onSelection({ mode: "all" }),
          },
          {
            id: "grid.none",
            title: "Select none",
            group: "Table",
            keys: ["Escape"],
            run: () => onSelection(nothingSelected),
          },
        ]
      : []),
    { id: "grid.apply", title: "Show new and reordered rows", group: "Table", keys: ["r"], run: apply },
    ...actions.map((action) => ({
      id: `grid.${action.id}`,
      title: action.title,
      group: "Table",
      keys: action.key === undefined ? [] : [action.key],
      run: () => act(action),
    })),
  ])

  const waiting = shown === undefined ? undefined : waitingWords(shown.waiting)
  const template = useMemo(
    () =>
      [
        ...(selects ? [`${selectWidth}px`] : []),
        ...columns.map(({ width: least, grow = 0 }) =>
          grow > 0 ? `minmax(${least}px, ${grow}fr)` : `${least}px`,
        ),
      ].join(" "),
    [columns, selects],
  )
  const least = columns.reduce((sum, { width: each }) => sum + each, lead * selectWidth)

  const indexes: Array<number> = []
  if (total > 0) {
    const from = Math.max(0, view.first - beyond)
    const until = Math.min(total, view.first + view.count + beyond)
    // The row with the focus stays, however far it is scrolled away.
    if (at.row >= 0 && at.row < from) indexes.push(at.row)
    for (let index = from; index < until; index += 1) indexes.push(index)
    if (at.row >= until) indexes.push(at.row)
  }
  const [elements] = useState(() => new RowElements())
  const keys = elements.keys(new Map(indexes.map((index) => [index, rowAt(index)?.id])))
  useLayoutEffect(() => elements.rendered(keys))
  // In the whole of what is scrolled, which for very many rows is not where they would be at full height.
  const topOf = (index: number) => view.top + (index - view.first) * measured.rowHeight

  return (
    <div className={css["frame"]} data-part="grid">
      {/* oxlint-disable-next-line jsx-a11y/interactive-supports-focus -- The focus is in its cells. */}
      <div
        ref={scroller}
        className={css["scroller"]}
        role="grid"
        aria-label={label}
        aria-rowcount={total + 1}
        aria-colcount={width}
        aria-multiselectable={selects || undefined}
        aria-busy={shown === undefined}
        style={{ "--columns": template, "--least": `${least}px` } as CSSProperties}
        onScroll={(event) => setScrolled(event.currentTarget.scrollTop)}
        onKeyDown={pressed}
        onClick={clicked}
        onFocus={(event) => {
          model.hold("focus", true)
          // A screen reader sets the focus without a key: the keys go on from there.
          const cell = cellOf(event.target)
          if (cell !== undefined && (cell.row !== at.row || cell.column !== at.column)) setActive(cell)
        }}
        onBlur={(event) => {
          if (!event.currentTarget.contains(event.relatedTarget)) model.hold("focus", false)
        }}
        onPointerEnter={(event) => event.pointerType === "mouse" && model.hold("hover", true)}
        onPointerLeave={() => model.hold("hover", false)}
      >
        <Head
          columns={columns}
          sort={sort}
          selects={selects}
          all={selection.mode === "all"}
          active={at.row === -1 ? at.column : -1}
        />
        <div role="rowgroup" className={css["body"]} style={{ height: view.height }}>
          {indexes.map((index) => (
            <GridRow
              key={keys.get(index)?.key}
              index={index}
              top={topOf(index)}
              placed={rowAt(index)}
              columns={columns}
              selects={selects}
              selected={selects && isSelected(selection, rowAt(index)?.id ?? "")}
              active={at.row === index ? at.column : -1}
              nameOf={nameOf}
            />
          ))}
        </div>
      </div>
      {shown !== undefined && total === 0 && <div className={css["none"]}>{empty}</div>}
      {waiting !== undefined && (
        <button type="button" className={css["apply"]} onClick={apply} data-part="apply">
          Show changes: {waiting}
        </button>
      )}
    </div>
  )
}

const cellOf = (element: Element): Cell | undefined => {
  const cell = element.closest<HTMLElement>("[data-cell]")
  if (cell === null) return undefined
  const row = cell.closest<HTMLElement>("[data-row]")
  return { row: Number(row?.dataset["row"] ?? -1), column: Number(cell.dataset["cell"]) }
}

const noActions: ReadonlyArray<RowAction> = []

interface HeadProps<Row> {
  readonly columns: ReadonlyArray<Column<Row>>
  readonly sort: Sort<string>
  readonly selects: boolean
  readonly all: boolean
  readonly active: number
}

const HeadOf = <Row,>({ columns, sort, selects, all, active }: HeadProps<Row>): ReactNode => (
  <div role="rowgroup" className={css["head"]}>
    <div role="row" aria-rowindex={1} className={css["row"]} data-head>
      {selects && (
        <div
          role="columnheader"
          aria-colindex={1}
          className={`${css["cell"]} ${css["check"]}`}
          data-on={all}
          data-cell={0}
          tabIndex={active === 0 ? 0 : -1}
        >
          <span className="sj-hidden">{all ? "All that match are selected" : "Select all that match"}</span>
        </div>
      )}
      {columns.map(({ id, title, numeric, sortable, help }, index) => {
        const cell = index + (selects ? 1 : 0)
        const sorted = sort.column === id ? (sort.descending ? "descending" : "ascending") : undefined
        return (
          <div
            key={id}
            role="columnheader"
            aria-colindex={cell + 1}
            aria-sort={sortable === true ? (sorted ?? "none") : undefined}
            className={css["cell"]}
            data-cell={cell}
            data-numeric={numeric}
            data-sortable={sortable}
            tabIndex={active === cell ? 0 : -1}
            title={help}
          >
            {title}
            {sorted === "ascending" && <ArrowUp size={14} aria-hidden />}
            {sorted === "descending" && <ArrowDown size={14} aria-hidden />}
          </div>
        )
      })}
    </div>
  </div>
)
const Head = memo(HeadOf) as typeof HeadOf

interface GridRowProps<Row> extends Omit<CellsProps<Row>, "loading"> {
  readonly index: number
  readonly top: number
}

const GridRowOf = <Row,>({ index, top, ...cells }: GridRowProps<Row>): ReactNode => {
  const { placed, selects, selected, active } = cells
  return (
    <div
      role="row"
      // The header is the first.
      aria-rowindex={index + 2}
      aria-selected={selects ? selected : undefined}
      className={css["row"]}
      data-row={index}
      data-left={placed?.left === true ? true : undefined}
      data-active={active >= 0 ? true : undefined}
      style={{ top }}
    >
      <Cells {...cells} loading={placed === undefined ? index : undefined} />
    </div>
  )
}
const GridRow = memo(GridRowOf) as typeof GridRowOf

interface CellsProps<Row> {
  readonly placed: Placed<Row> | undefined
  readonly columns: ReadonlyArray<Column<Row>>
  readonly selects: boolean
  readonly selected: boolean
  /** The column with the focus; -1: not in this row. */
  readonly active: number
  readonly nameOf: (row: Row) => string
  /** The place of a row that has not come. */
  readonly loading: number | undefined
}

/** Apart from the row, so that a row that only moves renders none of them. */
const CellsOf = <Row,>({
  placed,
  columns,
  selects,
  selected,
  active,
  nameOf,
  loading = 0,
}: CellsProps<Row>): ReactNode => {
  const lead = selects ? 1 : 0
  return (
    <>
      {selects && (
        <div
          role="gridcell"
          aria-colindex={1}
          aria-label={
            placed === undefined
              ? "Not loaded"
              : `${selected ? "Selected" : "Select"} ${visible(nameOf(placed.row), 60).text}`
          }
          className={`${css["cell"]} ${css["check"]}`}
          data-on={selected}
          data-cell={0}
          tabIndex={active === 0 ? 0 : -1}
        />
      )}
      {columns.map(({ id, numeric, cell: render }, column) => (
        <div
          key={id}
          role="gridcell"
          aria-colindex={column + lead + 1}
          className={css["cell"]}
          data-cell={column + lead}
          data-numeric={numeric}
          tabIndex={active === column + lead ? 0 : -1}
        >
          {placed === undefined ? (
            column === 0 && <span className="sj-note">Loading {formatCount(loading + 1)}…</span>
          ) : (
            <>
              {column === 0 && placed.left && <span className={css["left"]}>gone </span>}
              {render(placed.row)}
            </>
          )}
        </div>
      ))}
    </>
  )
}
const Cells = memo(CellsOf) as typeof CellsOf
