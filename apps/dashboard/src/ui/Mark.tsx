/** A state, by icon, word and colour: never by colour alone. */
import {
  Ban,
  CircleAlert,
  CircleCheck,
  CircleDot,
  CircleQuestionMark,
  CirclePause,
  CirclePlay,
  CircleX,
  Clock,
  DoorOpen,
  Hourglass,
  LoaderCircle,
  OctagonPause,
  RotateCw,
  type LucideIcon,
} from "lucide-react"
import type { ReactNode } from "react"
import css from "./Mark.module.css"

export type Tone = "good" | "busy" | "warn" | "bad" | "quiet"

interface Look {
  readonly icon: LucideIcon
  readonly tone: Tone
  readonly word: string
}

/** States of sessions, tasks and registries. */
const looks: ReadonlyMap<string, Look> = new Map<string, Look>([
  ["Waiting", { icon: Hourglass, tone: "quiet", word: "waiting" }],
  ["Backoff", { icon: Clock, tone: "warn", word: "back-off" }],
  ["Opening", { icon: LoaderCircle, tone: "busy", word: "opening" }],
  ["Ready", { icon: CircleCheck, tone: "good", word: "ready" }],
  ["Restarting", { icon: RotateCw, tone: "warn", word: "restarting" }],
  ["Closing", { icon: DoorOpen, tone: "quiet", word: "closing" }],
  ["Quarantined", { icon: OctagonPause, tone: "bad", word: "quarantined" }],
  ["Closed", { icon: CircleX, tone: "quiet", word: "closed" }],
  ["queued", { icon: Hourglass, tone: "quiet", word: "queued" }],
  ["running", { icon: CirclePlay, tone: "busy", word: "running" }],
  ["suspended", { icon: CirclePause, tone: "quiet", word: "suspended" }],
  ["stopping", { icon: Ban, tone: "warn", word: "stopping" }],
  ["succeeded", { icon: CircleCheck, tone: "good", word: "succeeded" }],
  ["failed", { icon: CircleAlert, tone: "bad", word: "failed" }],
  ["cancelled", { icon: Ban, tone: "quiet", word: "cancelled" }],
  ["timedOut", { icon: Clock, tone: "bad", word: "timed out" }],
  ["interrupted", { icon: OctagonPause, tone: "warn", word: "interrupted" }],
  ["rejected", { icon: CircleX, tone: "warn", word: "rejected" }],
  ["accepting", { icon: CircleDot, tone: "good", word: "accepting" }],
  ["draining", { icon: DoorOpen, tone: "warn", word: "draining" }],
  ["drained", { icon: CircleX, tone: "quiet", word: "drained" }],
])

/** Every state that is known, for who shows or tests them all. */
export const markedStates: ReadonlyArray<string> = [...looks.keys()]

export const Mark = ({
  tone,
  icon: Icon,
  children,
}: {
  readonly tone: Tone
  readonly icon: LucideIcon
  readonly children: ReactNode
}): ReactNode => (
  <span className={css["mark"]} data-tone={tone}>
    <Icon size={14} aria-hidden />
    {children}
  </span>
)

/** A state this page has not heard of is shown by its name. */
export const StateMark = ({ state }: { readonly state: string }): ReactNode => {
  const look = looks.get(state) ?? { icon: CircleQuestionMark, tone: "quiet", word: state.slice(0, 32) }
  return (
    <Mark tone={look.tone} icon={look.icon}>
      {look.word}
    </Mark>
  )
}
