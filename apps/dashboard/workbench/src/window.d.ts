import type { Live } from "../../src/live/Live.ts"
import type { Model } from "./model.ts"
import type { Delta } from "./rows.ts"
import type { Script } from "./source.ts"

declare global {
  interface Window {
    /** What tests pull. */
    workbench: {
      readonly server: Script
      readonly live: Live<Model, Delta>
      /** Steps of the script, until what they change has been painted. */
      readonly tick: (steps?: number) => Promise<void>
      readonly counts: () => Readonly<Record<string, number>>
    }
  }
}
