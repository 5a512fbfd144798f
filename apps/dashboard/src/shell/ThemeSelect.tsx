import type { ReactNode } from "react"
import { useCommands } from "../keys/useKeys.tsx"
import { themes } from "../state/prefs.ts"
import { useStore } from "../state/useStore.ts"
import { useRoot } from "./Root.tsx"
import css from "./Shell.module.css"

const words = { system: "System", light: "Light", dark: "Dark" }

export const ThemeSelect = (): ReactNode => {
  const { prefs } = useRoot()
  const { theme } = useStore(prefs)
  useCommands(
    themes.map((choice) => ({
      id: `theme.${choice}`,
      title: `Theme: ${words[choice].toLowerCase()}`,
      group: "Appearance",
      keys: [],
      run: () => prefs.set({ ...prefs.get(), theme: choice }),
    })),
  )
  return (
    <label className={css["rate"]}>
      <span className="sj-hidden">Theme</span>
      <select
        className={css["select"]}
        value={theme}
        onChange={(event) =>
          prefs.set({
            ...prefs.get(),
            theme: themes.find((known) => known === event.target.value) ?? "system",
          })
        }
      >
        {themes.map((choice) => (
          <option key={choice} value={choice}>
            {words[choice]}
          </option>
        ))}
      </select>
    </label>
  )
}
