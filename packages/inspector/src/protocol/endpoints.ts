/** Every endpoint, once: the handler's routes, the OpenAPI document and the documentation are made of this table. */
import type * as Schema from "effect/Schema"
import { About } from "./about.ts"
import { Action, ActionAnswer, ActionsAnswer } from "./actions.ts"
import {
  EventQuery,
  EventsAnswer,
  HeatmapAnswer,
  HeatmapQuery,
  SeriesAnswer,
  SeriesQuery,
  WarningsAnswer,
} from "./events.ts"
import { KindDetail, Overview, stamp } from "./kinds.ts"
import { ProfileAnswer, ProfileRequest, RecordingFile, RecordingQuery } from "./profile.ts"
import { SessionDetail, TaskDetail } from "./sessions.ts"
import { Frame, Snapshot, SnapshotQuery, StreamQuery } from "./stream.ts"
import { SessionQuery, SessionsAnswer, TaskQuery, TasksAnswer } from "./windows.ts"
import type { EndpointName, Path } from "./paths.ts"
import type { Role } from "./words.ts"
import { Struct } from "effect/Schema"

export const SessionAnswer = Struct({ ...stamp, session: SessionDetail }).annotate({ identifier: "Session" })
export const TaskAnswer = Struct({ ...stamp, task: TaskDetail }).annotate({ identifier: "Task" })

export interface Endpoint {
  readonly path: Path
  readonly method: "get" | "post"
  readonly role: Role
  readonly summary: string
  /** Parameters after the `?`. */
  readonly query?: Schema.Struct<Schema.Struct.Fields> | undefined
  readonly body?: Schema.Top | undefined
  readonly answer: Schema.Top
  readonly stream?: boolean | undefined
  /** It is a file, of this type. */
  readonly file?: string | undefined
}

export const endpoints = {
  about: {
    path: "/about",
    method: "get",
    role: "view",
    summary: "Server, role and what can be asked.",
    answer: About,
  },
  overview: {
    path: "/overview",
    method: "get",
    role: "view",
    summary: "Every registry, in numbers.",
    answer: Overview,
  },
  kind: {
    path: "/kinds/{kind}",
    method: "get",
    role: "view",
    summary: "One registry, with its tasks by name.",
    answer: KindDetail,
  },
  sessions: {
    path: "/sessions",
    method: "get",
    role: "view",
    summary: "A window onto the sessions of all registries.",
    query: SessionQuery,
    answer: SessionsAnswer,
  },
  session: {
    path: "/sessions/{kind}/{hash}",
    method: "get",
    role: "view",
    summary: "All that is known of one session: why it is alive, why it ended, why a request waits.",
    answer: SessionAnswer,
  },
  tasks: {
    path: "/tasks",
    method: "get",
    role: "view",
    summary: "A window onto the tasks of all registries.",
    query: TaskQuery,
    answer: TasksAnswer,
  },
  task: {
    path: "/tasks/{kind}/{task}",
    method: "get",
    role: "view",
    summary: "All that is known of one task.",
    answer: TaskAnswer,
  },
  warnings: {
    path: "/warnings",
    method: "get",
    role: "view",
    summary: "The warnings that are active.",
    answer: WarningsAnswer,
  },
  series: {
    path: "/series",
    method: "get",
    role: "view",
    summary: "The recent past, in numbers.",
    query: SeriesQuery,
    answer: SeriesAnswer,
  },
  heatmap: {
    path: "/heatmap",
    method: "get",
    role: "view",
    summary: "How long tasks took, over time.",
    query: HeatmapQuery,
    answer: HeatmapAnswer,
  },
  events: {
    path: "/events",
    method: "get",
    role: "view",
    summary: "What happened while somebody watched. The first request begins to watch.",
    query: EventQuery,
    answer: EventsAnswer,
  },
  stream: {
    path: "/stream",
    method: "get",
    role: "view",
    summary: "Frames, live, as server-sent events. Resumes by Last-Event-ID.",
    query: StreamQuery,
    answer: Frame,
    stream: true,
  },
  snapshot: {
    path: "/snapshot",
    method: "get",
    role: "view",
    summary: "One frame of such a stream, for who cannot hold one.",
    query: SnapshotQuery,
    answer: Snapshot,
  },
  recording: {
    path: "/recording",
    method: "get",
    role: "view",
    summary: "What has happened since the recording was started, as a file.",
    query: RecordingQuery,
    answer: RecordingFile,
    file: "application/gzip",
  },
  profile: {
    path: "/profile",
    method: "post",
    role: "operate",
    summary: "Where time and memory go: whose code runs, a CPU profile, a heap snapshot. One at a time.",
    body: ProfileRequest,
    answer: ProfileAnswer,
  },
  actions: {
    path: "/actions",
    method: "get",
    role: "view",
    summary: "The last actions, and what has come of them.",
    answer: ActionsAnswer,
  },
  action: {
    path: "/actions/{id}",
    method: "get",
    role: "view",
    summary: "One action, and what has come of it.",
    answer: ActionAnswer,
  },
  act: {
    path: "/actions",
    method: "post",
    role: "operate",
    summary: "Do something. Answers once it is over, or after a second with what is under way.",
    body: Action,
    answer: ActionAnswer,
  },
} as const satisfies { readonly [K in EndpointName]: Endpoint }
