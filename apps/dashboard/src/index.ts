/**
 * What views are made of, and what another page needs to show them inside itself:
 *
 *   <Root location={memoryLocation("#/sessions")} prefs={visitPrefs()} inheritTokens>
 *     <SomeView />
 *   </Root>
 *
 * The order is from the outside in.
 */
export { Root, useRoot, type RootProps } from "./shell/Root.tsx"
export { Shell, type ShellProps } from "./shell/Shell.tsx"
export { LiveControl, RateSelect } from "./shell/LiveControl.tsx"
export { pageOf, type Page, type PageProps } from "./shell/pages.ts"
export { pages } from "./pages/pages.ts"

export { hashLocation, memoryLocation, type Location } from "./url/Location.ts"
export { Link, useAddress, useGo, useLocation, useParams, type SetParams } from "./url/router.tsx"
export { matchPath, readAddress, writeAddress, type Address } from "./url/address.ts"
export * as params from "./url/params.ts"

export { Store, type Readable, type Writable } from "./state/Store.ts"
export { useSelected, useStore } from "./state/useStore.ts"
export { storedPrefs, usualPrefs, visitPrefs, type Prefs } from "./state/prefs.ts"
export { useMedia, useTheme, type Theme } from "./theme/theme.ts"

export {
  dataAge,
  Live,
  type Gap,
  type LiveHost,
  type LiveOptions,
  type LiveStatus,
  type LiveView,
} from "./live/Live.ts"
export type { Frame, FrameSource } from "./live/Source.ts"
export { browserHost } from "./live/browserHost.ts"
export { reuse } from "./live/reuse.ts"
export { everySecond, ticks } from "./live/Ticks.ts"

export { Commands, type Command } from "./keys/Commands.ts"
export { useCommands } from "./keys/useKeys.tsx"

export { Grid, type GridProps, type RowAction } from "./grid/Grid.tsx"
export { chosenColumns, type Column } from "./grid/columns.ts"
export { ColumnChooser } from "./grid/ColumnChooser.tsx"
export { Facets, type Facet } from "./grid/Facets.tsx"
export { FilterInput } from "./grid/FilterInput.tsx"
export {
  isSelected,
  mostSelected,
  nothingSelected,
  selectionParam,
  type RowSource,
  type RowWindow,
  type Selection,
} from "./grid/rows.ts"

export { SharedCursor } from "./charts/cursor.tsx"
export { TimeSeries, type TimeSeriesProps } from "./charts/TimeSeries.tsx"
export { Heatmap, type HeatmapData } from "./charts/Heatmap.tsx"
export { Histogram } from "./charts/Histogram.tsx"
export { Sparkline } from "./charts/Sparkline.tsx"
export { SplitBar } from "./charts/SplitBar.tsx"
export { TtlBar } from "./charts/TtlBar.tsx"
export { Waterfall, type WaterfallStep } from "./charts/Waterfall.tsx"
export type { Buckets, Series, TimeData } from "./charts/data.ts"

export { Button, IconButton } from "./ui/Button.tsx"
export { ConfirmDialog, type ConfirmDialogProps } from "./ui/ConfirmDialog.tsx"
export { Dialog } from "./ui/Dialog.tsx"
export { EmptyState } from "./ui/EmptyState.tsx"
export { ErrorBoundary } from "./ui/ErrorBoundary.tsx"
export { Keys } from "./ui/Keys.tsx"
export { Mark, StateMark, type Tone } from "./ui/Mark.tsx"
export { Popover } from "./ui/Popover.tsx"
export { Text } from "./text/Text.tsx"
export { visible } from "./text/visible.ts"
export {
  formatBytes,
  formatClock,
  formatCompact,
  formatCount,
  formatIn,
  formatMoment,
  formatMs,
  formatRatio,
  type Unit,
} from "./text/format.ts"
import "./theme/styles.ts"
