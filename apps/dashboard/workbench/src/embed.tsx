/** A view inside somebody else's page. */
import { createRoot } from "react-dom/client"
import { browserHost, Live, memoryLocation, Root, visitPrefs } from "../../src/index.ts"
import { BenchContext, type Bench } from "./bench.ts"
import { apply, empty, type Model } from "./model.ts"
import { Sessions } from "./Sessions.tsx"
import type { Delta, Question } from "./rows.ts"
import { script } from "./source.ts"

const server = script()
server.say({ say: "size", rows: 500, hostile: false, live: false })
const first: Question = {
  sort: "queued",
  descending: true,
  state: [],
  text: "",
  offset: 0,
  limit: 100,
  everyMs: 1000,
}
const live = new Live<Model, Delta>({ source: server.source(first), empty, apply }, browserHost(window))
const bench: Bench = { live, server, first }
const element = document.getElementById("view")
if (element === null) throw new Error("The page has no element to be in.")
createRoot(element).render(
  <Root
    location={memoryLocation("#/sessions")}
    prefs={visitPrefs({ theme: "light", rate: 1, singleKeys: true })}
    inheritTokens
  >
    <BenchContext value={bench}>
      <Sessions />
    </BenchContext>
  </Root>,
)
