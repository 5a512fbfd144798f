import { CircleX, Pause, Play, Radio, RefreshCw, TriangleAlert } from "lucide-react"
import { useEffect, type ReactNode } from "react"
import { useCommands } from "../keys/useKeys.tsx"
import { dataAge, type Live, type LiveStatus, type LiveView } from "../live/Live.ts"
import { everySecond } from "../live/Ticks.ts"
import { rates, type Rate } from "../state/prefs.ts"
import { useSelected, useStore } from "../state/useStore.ts"
import { formatCount, formatMs } from "../text/format.ts"
import { Button, IconButton } from "../ui/Button.tsx"
import { Mark, type Tone } from "../ui/Mark.tsx"
import { useRoot } from "./Root.tsx"
import css from "./Shell.module.css"

const looks: Readonly<
  Record<LiveStatus, { readonly word: string; readonly tone: Tone; readonly icon: typeof Radio }>
> = {
  connecting: { word: "connecting", tone: "busy", icon: RefreshCw },
  live: { word: "live", tone: "good", icon: Radio },
  lost: { word: "connection lost", tone: "warn", icon: TriangleAlert },
  paused: { word: "paused", tone: "warn", icon: Pause },
  hidden: { word: "page hidden", tone: "quiet", icon: Pause },
  refused: { word: "refused", tone: "bad", icon: CircleX },
}

const sameParts = (a: Parts, b: Parts): boolean =>
  a.status === b.status && a.dropped === b.dropped && a.retryAt === b.retryAt && a.error === b.error
type Parts = Pick<LiveView<unknown>, "status" | "dropped" | "retryAt" | "error">

/** Live or paused, how old what is shown is, how often it comes and what was dropped. */
export const LiveControl = <State, Delta>({ live }: { readonly live: Live<State, Delta> }): ReactNode => {
  const { status, dropped, retryAt, error } = useSelected<LiveView<State>, Parts>(
    live,
    (view) => view,
    sameParts,
  )
  const { announcer } = useRoot()
  const paused = status === "paused"
  const toggle = () => (live.paused ? live.resume() : live.pause())
  useCommands([
    { id: "live.pause", title: paused ? "Resume" : "Pause", group: "Data", keys: ["Space"], run: toggle },
    { id: "live.retry", title: "Connect now", group: "Data", keys: [], run: () => live.retry() },
  ])
  const { word, tone, icon } = looks[status]
  useEffect(() => announcer.say(`Data: ${word}.`), [announcer, word])
  return (
    <div className={css["live"]} data-part="live" data-status={status}>
      <Mark tone={tone} icon={icon}>
        {word}
      </Mark>
      <Age live={live} retryAt={retryAt} />
      {dropped > 0 && (
        <span className={css["dropped"]} title="Events that this page was not told">
          <TriangleAlert size={14} aria-hidden /> {formatCount(dropped)} dropped
        </span>
      )}
      <Button onPress={toggle} pressed={paused} part="pause" title="Pause or resume (Space)">
        {paused ? <Play size={14} aria-hidden /> : <Pause size={14} aria-hidden />}
        <span className={css["wide"]}>{paused ? "Resume" : "Pause"}</span>
        <span className={css["narrow"]}>
          <span className="sj-hidden">{paused ? "Resume" : "Pause"}</span>
        </span>
      </Button>
      {(status === "lost" || status === "refused") && (
        <IconButton
          label={error instanceof Error ? `Connect now: ${error.message.slice(0, 200)}` : "Connect now"}
          onPress={() => live.retry()}
        >
          <RefreshCw size={14} aria-hidden />
        </IconButton>
      )}
    </div>
  )
}

const Age = <State, Delta>({
  live,
  retryAt,
}: {
  readonly live: Live<State, Delta>
  readonly retryAt: number | undefined
}): ReactNode => {
  const now = useStore(everySecond)
  const age = dataAge(live.get(), now)
  const wait = retryAt === undefined ? undefined : Math.max(0, retryAt - now)
  return (
    <span className={css["age"]} data-part="age">
      {age === undefined
        ? "no data yet"
        : age < 2000
          ? "now"
          : `${formatMs(Math.floor(age / 1000) * 1000)} old`}
      {wait !== undefined && `, again in ${Math.ceil(wait / 1000)} s`}
    </span>
  )
}

/** How many frames a second the server is asked for. */
export const RateSelect = (): ReactNode => {
  const { prefs } = useRoot()
  const { rate } = useStore(prefs)
  return (
    <label className={css["rate"]}>
      <span className="sj-hidden">Frames a second</span>
      <select
        className={css["select"]}
        value={rate}
        onChange={(event) => {
          const chosen = Number(event.target.value)
          prefs.set({ ...prefs.get(), rate: rates.find((known): known is Rate => known === chosen) ?? rate })
        }}
      >
        {rates.map((each) => (
          <option key={each} value={each}>
            {each} Hz
          </option>
        ))}
      </select>
    </label>
  )
}
