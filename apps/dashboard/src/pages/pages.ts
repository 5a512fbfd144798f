/** The pages of the dashboard, in the order of the navigation. Each is loaded when it is first seen. */
import { Settings } from "lucide-react"
import { lazy } from "react"
import type { Page } from "../shell/pages.ts"

export const pages: ReadonlyArray<Page> = [
  {
    id: "config",
    title: "Config",
    path: ["config"],
    view: lazy(() => import("./Config.tsx")),
    entry: { icon: Settings, key: "c" },
  },
]
