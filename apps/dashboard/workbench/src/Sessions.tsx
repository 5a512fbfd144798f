import { useCallback, useMemo, useState, type ReactNode } from "react"
import { Sparkline } from "../../src/charts/Sparkline.tsx"
import { SplitBar } from "../../src/charts/SplitBar.tsx"
import { TtlBar } from "../../src/charts/TtlBar.tsx"
import { ColumnChooser } from "../../src/grid/ColumnChooser.tsx"
import { chosenColumns, type Column } from "../../src/grid/columns.ts"
import { Facets } from "../../src/grid/Facets.tsx"
import { FilterInput } from "../../src/grid/FilterInput.tsx"
import { Grid, type RowAction } from "../../src/grid/Grid.tsx"
import { nothingSelected, selectionParam, type RowSource, type Selection } from "../../src/grid/rows.ts"
import type { PageProps } from "../../src/shell/pages.ts"
import { useRoot } from "../../src/shell/Root.tsx"
import { useSelected } from "../../src/state/useStore.ts"
import { formatCount, formatMs } from "../../src/text/format.ts"
import { Text } from "../../src/text/Text.tsx"
import { ConfirmDialog } from "../../src/ui/ConfirmDialog.tsx"
import { EmptyState } from "../../src/ui/EmptyState.tsx"
import { Button } from "../../src/ui/Button.tsx"
import { StateMark } from "../../src/ui/Mark.tsx"
import { ordered, several, sort, text, type Sort } from "../../src/url/params.ts"
import { Link, useGo, useParams } from "../../src/url/router.tsx"
import { useBench } from "./bench.ts"
import css from "./bench.module.css"
import { columns as columnIds, states, type ColumnId, type Question, type SessionRow } from "./rows.ts"

const allColumns: ReadonlyArray<Column<SessionRow> & { readonly id: ColumnId | "life" | "recent" }> = [
  {
    id: "name",
    title: "Session",
    width: 180,
    grow: 2,
    sortable: true,
    always: true,
    cell: ({ id, name }) => (
      <Link to={["sessions", id]}>
        <Text value={name} most={60} />
      </Link>
    ),
  },
  {
    id: "kind",
    title: "Kind",
    width: 90,
    sortable: true,
    cell: ({ kind }) => <Text value={kind} most={40} />,
  },
  {
    id: "state",
    title: "State",
    width: 120,
    sortable: true,
    cell: ({ state }) => <StateMark state={state} />,
  },
  {
    id: "queued",
    title: "Queued",
    width: 100,
    numeric: true,
    sortable: true,
    cell: ({ queued }) => formatCount(queued),
  },
  {
    id: "running",
    title: "Running",
    width: 100,
    numeric: true,
    sortable: true,
    cell: ({ running }) => formatCount(running),
  },
  {
    id: "turns",
    title: "Turns",
    width: 80,
    numeric: true,
    sortable: true,
    cell: ({ turns }) => formatCount(turns),
  },
  {
    id: "waited",
    title: "Time",
    width: 140,
    grow: 1,
    sortable: true,
    help: "Queued, running, suspended",
    cell: ({ queuedMs, runningMs, suspendedMs }) => (
      <SplitBar queuedMs={queuedMs} runningMs={runningMs} suspendedMs={suspendedMs} words="hidden" />
    ),
  },
  {
    id: "life",
    title: "Closes in",
    width: 140,
    grow: 1,
    cell: ({ idleSince, closesAt }) => (
      <TtlBar now={1_760_000_000_000} idleSince={idleSince} closesAt={closesAt} why="in use" />
    ),
  },
  {
    id: "recent",
    title: "Pending",
    width: 110,
    cell: ({ recent }) => <Sparkline values={recent} words={`now ${recent.at(-1) ?? "unknown"}`} />,
  },
  {
    id: "age",
    title: "Opened",
    width: 110,
    numeric: true,
    sortable: true,
    cell: ({ openedAt }) => formatMs(1_760_000_000_000 - openedAt),
  },
]
const names = [
  "name",
  "kind",
  "state",
  "queued",
  "running",
  "turns",
  "waited",
  "life",
  "recent",
  "age",
] as const
const params = {
  q: text(),
  state: several(states),
  sort: sort(columnIds, { column: "queued", descending: true }),
  sel: selectionParam,
  cols: ordered(names, ["name", "kind", "state", "queued", "running", "waited", "life", "recent"]),
}

const idOf = ({ id }: SessionRow): string => id
const nameOf = ({ name }: SessionRow): string => name.slice(0, 60)

export const Sessions = (): ReactNode => {
  const { live, server, first } = useBench()
  const { toasts, prefs } = useRoot()
  const [{ q, state, sort: order, cols, sel: selection }, set] = useParams(params)
  const go = useGo()
  const [asking, setAsking] = useState<Selection | undefined>()
  const question = JSON.stringify([q, state, order])
  const setSelection = (next: Selection) => set({ sel: next }, "replace")

  const source = useMemo((): RowSource<SessionRow> => {
    const asked = { last: "" }
    return {
      get: () => live.get().state.window,
      subscribe: live.subscribe,
      ask: (offset, limit) => {
        const next: Question = {
          ...first,
          sort: order.column,
          descending: order.descending,
          state,
          text: q,
          offset: Math.max(0, Math.floor(offset / 20) * 20),
          limit: Math.min(200, limit + 40),
          everyMs: first.everyMs === 1000 ? 1000 / prefs.get().rate : first.everyMs,
        }
        const written = JSON.stringify(next)
        if (written === asked.last) return
        asked.last = written
        live.replace(server.source(next))
      },
    }
  }, [live, server, first, q, state, order, prefs])

  const columns = useMemo(() => chosenColumns(allColumns, cols), [cols])
  const onSort = useCallback(
    (next: Sort<string>) => {
      const column = columnIds.find((known) => known === next.column)
      if (column !== undefined) set({ sort: { column, descending: next.descending }, sel: nothingSelected })
    },
    [set],
  )
  const actions = useMemo(
    (): ReadonlyArray<RowAction> => [{ id: "cancel", title: "Cancel all tasks", key: "c", run: setAsking }],
    [],
  )
  const facets = useSelected(live, ({ state: model }) => model.facets)
  const total = useSelected(live, ({ state: model }) => model.window?.total)
  const count = asking === undefined ? undefined : asking.mode === "all" ? total : asking.ids.size
  const chosen = selection.mode === "all" ? (total ?? 0) : selection.ids.size
  return (
    <div className={css["sessions"]}>
      <div className={css["tools"]}>
        <h1>Sessions</h1>
        <FilterInput
          label="Sessions"
          value={q}
          onChange={(value) => set({ q: value, sel: nothingSelected }, "replace")}
        />
        <span data-part="total">{total === undefined ? "…" : formatCount(total)}</span>
        <ColumnChooser
          columns={allColumns}
          chosen={cols}
          onChange={(next) =>
            set({
              cols: names
                .filter((name) => next.includes(name))
                .toSorted((a, b) => next.indexOf(a) - next.indexOf(b)),
            })
          }
        />
        {chosen > 0 && (
          <Button onPress={() => setAsking(selection)} tone="destructive">
            Cancel tasks of {formatCount(chosen)}
          </Button>
        )}
      </div>
      <Facets
        title="State"
        facets={states.map((value) => ({
          value,
          shown: <StateMark state={value} />,
          count: facets?.[value] ?? 0,
        }))}
        chosen={state}
        onChange={(next) =>
          set({ state: states.filter((value) => next.includes(value)), sel: nothingSelected })
        }
      />
      <div className={css["grid"]}>
        <Grid
          label="Sessions"
          source={source}
          idOf={idOf}
          nameOf={nameOf}
          columns={columns}
          sort={order}
          onSort={onSort}
          question={question}
          selection={selection}
          onSelection={setSelection}
          onOpen={({ id }) => go(["sessions", id])}
          actions={actions}
          empty={
            <EmptyState title="No session matches." command="curl http://localhost:3000/chats/1">
              Change the filters, or make one:
            </EmptyState>
          }
        />
      </div>
      {asking !== undefined && (
        <ConfirmDialog
          title="Cancel all tasks of these sessions?"
          count={count}
          things="sessions"
          action="Cancel tasks"
          typed={count !== undefined && count > 1 ? "count" : undefined}
          onConfirm={(agreed) => {
            toasts.add("good", `Told ${agreed} sessions to stop their tasks.`)
            setAsking(undefined)
            setSelection(nothingSelected)
          }}
          onClose={() => setAsking(undefined)}
        >
          <p>Whoever waits for them is told that they were cancelled.</p>
        </ConfirmDialog>
      )}
    </div>
  )
}

export const Detail = ({ at }: PageProps): ReactNode => (
  <>
    <h1>
      Session <Text value={at["id"] ?? ""} />
    </h1>
    <p>
      <Link to={["sessions"]}>All sessions</Link>
    </p>
  </>
)
