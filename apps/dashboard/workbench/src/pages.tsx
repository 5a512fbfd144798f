import { ChartLine, Component, Flame, Table, Settings } from "lucide-react"
import type { Page } from "../../src/shell/pages.ts"
import Config from "../../src/pages/Config.tsx"
import { Charts } from "./Charts.tsx"
import { Failing } from "./Failing.tsx"
import { Parts } from "./Parts.tsx"
import { Detail, Sessions } from "./Sessions.tsx"

export const pages: ReadonlyArray<Page> = [
  { id: "charts", title: "Charts", path: ["charts"], view: Charts, entry: { icon: ChartLine, key: "t" } },
  { id: "sessions", title: "Sessions", path: ["sessions"], view: Sessions, entry: { icon: Table, key: "s" } },
  { id: "session", title: "Session", path: ["sessions", ":id"], view: Detail, under: "sessions" },
  { id: "parts", title: "Parts", path: ["parts"], view: Parts, entry: { icon: Component, key: "p" } },
  { id: "failing", title: "Failing", path: ["failing"], view: Failing, entry: { icon: Flame, key: "f" } },
  { id: "config", title: "Config", path: ["config"], view: Config, entry: { icon: Settings, key: "c" } },
]
