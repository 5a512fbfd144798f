/**
 * The workbench: what the dashboard is made of, on scripted data. In the address, before the `#`: `rows` (100 000), `hostile`
 * (names as nobody should give them), `live=0` (nothing moves but by `workbench.tick()`).
 */
import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { made } from "../../src/charts/Plot.tsx"
import { browserHost } from "../../src/live/browserHost.ts"
import { Live } from "../../src/live/Live.ts"
import { LiveControl, RateSelect } from "../../src/shell/LiveControl.tsx"
import { Root } from "../../src/shell/Root.tsx"
import { Shell } from "../../src/shell/Shell.tsx"
import { storedPrefs } from "../../src/state/prefs.ts"
import { hashLocation } from "../../src/url/Location.ts"
import "../../src/theme/styles.ts"
import "../../src/page.css"
import { Health } from "./Health.tsx"
import { apply, empty, type Model } from "./model.ts"
import { BenchContext, renders, type Bench } from "./bench.ts"
import { pages } from "./pages.tsx"
import type { Delta, Question } from "./rows.ts"
import { script } from "./source.ts"

const given = new URLSearchParams(location.search)
const server = script()
server.say({
  say: "size",
  rows: Number(given.get("rows") ?? 100_000),
  hostile: given.has("hostile"),
  live: given.get("live") !== "0",
})
const question: Question = {
  sort: "queued",
  descending: true,
  state: [],
  text: "",
  offset: 0,
  limit: 100,
  everyMs: Number(given.get("every") ?? 1000),
}
const live = new Live<Model, Delta>({ source: server.source(question), empty, apply }, browserHost(window))
const bench: Bench = { live, server, first: question }

window.workbench = {
  server,
  live,
  // Once what it changed has been painted.
  tick: async (steps = 1) => {
    const { frames } = live.get()
    server.say({ say: "tick", steps })
    while (live.get().frames === frames) await new Promise((resolve) => requestAnimationFrame(resolve))
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)))
  },
  counts: () => ({
    plots: made.plots,
    opened: server.opened.count,
    renders: renders.count,
    frames: live.get().frames,
  }),
}

const element = document.getElementById("root")
if (element === null) throw new Error("The workbench has no element to be in.")
createRoot(element).render(
  <StrictMode>
    <Root location={hashLocation(window)} prefs={storedPrefs(window)} wholePage>
      <BenchContext value={bench}>
        <Shell
          pages={pages}
          host={<span className="sj-note">workbench</span>}
          health={<Health />}
          live={
            <>
              <LiveControl live={live} />
              <RateSelect />
            </>
          }
        />
      </BenchContext>
    </Root>
  </StrictMode>,
)
