import type { ReactNode } from "react"
import { useCommandList } from "../keys/useKeys.tsx"
import { useStore } from "../state/useStore.ts"
import { useRoot } from "../shell/Root.tsx"
import { Keys } from "./Keys.tsx"
import css from "./KeyMap.module.css"

/** All keys that mean something now, by group; and whether single keys do. */
export const KeyMap = (): ReactNode => {
  const commands = useCommandList()
  const { prefs } = useRoot()
  const { singleKeys } = useStore(prefs)
  useStore(commands)
  const bound = commands.current().filter(({ keys }) => keys.length > 0)
  return (
    <>
      <label className={css["choice"]}>
        <input
          type="checkbox"
          checked={singleKeys}
          onChange={(event) => prefs.set({ ...prefs.get(), singleKeys: event.target.checked })}
        />
        Single keys do something. Without, only those with Ctrl and those inside tables and charts do.
      </label>
      <div className={css["groups"]}>
        {[...Map.groupBy(bound, ({ group }) => group)].map(([group, list]) => (
          <section key={group} aria-label={group}>
            <h3>{group}</h3>
            <dl className={css["map"]}>
              {list.map(({ id, title, keys }) => (
                <div key={id} className={css["line"]}>
                  <dt>{title}</dt>
                  <dd>
                    {keys.map((written) => (
                      <Keys key={written} keys={written} />
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </>
  )
}
