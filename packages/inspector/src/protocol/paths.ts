/** Where what is found, apart from the schemas, which only those load who need them. */
export const paths = {
  about: "/about",
  overview: "/overview",
  kind: "/kinds/{kind}",
  sessions: "/sessions",
  session: "/sessions/{kind}/{hash}",
  tasks: "/tasks",
  task: "/tasks/{kind}/{task}",
  warnings: "/warnings",
  series: "/series",
  heatmap: "/heatmap",
  events: "/events",
  stream: "/stream",
  snapshot: "/snapshot",
  recording: "/recording",
  profile: "/profile",
  actions: "/actions",
  action: "/actions/{id}",
  act: "/actions",
} as const

export type EndpointName = keyof typeof paths
export type Path = (typeof paths)[EndpointName]
