import type { ReactNode } from "react"
import { KeyMap } from "../ui/KeyMap.tsx"
import css from "./Config.module.css"

/** What can be set in this browser, and all keys. */
const Config = (): ReactNode => (
  <div className={css["page"]}>
    <h1>Configuration</h1>
    <section aria-labelledby="keys">
      <h2 id="keys">Keyboard</h2>
      <KeyMap />
    </section>
  </div>
)
export default Config
