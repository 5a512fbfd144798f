/** The page by itself: what index.html loads. */
import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { pages } from "./pages/pages.ts"
import { Root } from "./shell/Root.tsx"
import { Shell } from "./shell/Shell.tsx"
import { storedPrefs } from "./state/prefs.ts"
import { hashLocation } from "./url/Location.ts"
import "./theme/styles.ts"
import "./page.css"

const element = document.getElementById("root")
if (element === null) throw new Error("The page has no element to be in.")
const location = hashLocation(window)
const prefs = storedPrefs(window)
createRoot(element).render(
  <StrictMode>
    <Root location={location} prefs={prefs} wholePage>
      <Shell pages={pages} />
    </Root>
  </StrictMode>,
)
