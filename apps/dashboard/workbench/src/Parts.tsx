import { useState, type ReactNode } from "react"
import { Sparkline } from "../../src/charts/Sparkline.tsx"
import { SplitBar } from "../../src/charts/SplitBar.tsx"
import { TtlBar } from "../../src/charts/TtlBar.tsx"
import { Waterfall } from "../../src/charts/Waterfall.tsx"
import { useRoot } from "../../src/shell/Root.tsx"
import { Text } from "../../src/text/Text.tsx"
import { Button } from "../../src/ui/Button.tsx"
import { ConfirmDialog } from "../../src/ui/ConfirmDialog.tsx"
import { EmptyState } from "../../src/ui/EmptyState.tsx"
import { Keys } from "../../src/ui/Keys.tsx"
import { markedStates, StateMark } from "../../src/ui/Mark.tsx"
import { Popover } from "../../src/ui/Popover.tsx"
import css from "./bench.module.css"
import { hostile } from "./hostile.ts"

const now = 1_760_000_000_000

export const Parts = (): ReactNode => {
  const { toasts, announcer } = useRoot()
  const [open, setOpen] = useState<"count" | "name" | "plain" | "counting" | undefined>()
  const [count, setCount] = useState(1234)
  return (
    <div className={css["parts"]}>
      <h1>Parts</h1>
      <section className={css["row"]} aria-label="Buttons">
        <Button>Plain</Button>
        <Button tone="primary">Primary</Button>
        <Button tone="destructive">Destructive</Button>
        <Button tone="quiet">Quiet</Button>
        <Button disabled>Disabled</Button>
        <Button pressed>Pressed</Button>
        <Popover label="A popover" button="Popover" part="popover">
          {(close) => <Button onPress={close}>Close it</Button>}
        </Popover>
        <Keys keys="Mod+k" />
        <Keys keys="g s" />
      </section>
      <section className={css["row"]} aria-label="States">
        {markedStates.map((state) => (
          <StateMark key={state} state={state} />
        ))}
        <StateMark state="SomethingNew" />
      </section>
      <section className={css["row"]} aria-label="Answers">
        <Button onPress={() => toasts.add("info", "Interrupting…")}>Toast</Button>
        <Button onPress={() => toasts.add("good", "It has ended.")}>Good toast</Button>
        <Button onPress={() => toasts.add("bad", hostile[0]?.[1] ?? "")}>Bad toast</Button>
        <Button onPress={() => announcer.say(`Something at ${performance.now()}`)}>Say something</Button>
        <Button onPress={() => setOpen("plain")}>Confirm</Button>
        <Button onPress={() => setOpen("count")}>Confirm with count</Button>
        <Button onPress={() => setOpen("name")}>Confirm with name</Button>
        <Button onPress={() => setOpen("counting")}>Confirm while counting</Button>
      </section>
      <section className={css["stack"]} aria-label="Bars">
        <TtlBar now={now} idleSince={now - 400_000} closesAt={now + 500_000} />
        <TtlBar now={now} idleSince={now - 880_000} closesAt={now + 20_000} />
        <TtlBar now={now} idleSince={now} closesAt={now} />
        <TtlBar now={now} idleSince={undefined} closesAt={undefined} why="2 leases" />
        <SplitBar queuedMs={1200} runningMs={5000} suspendedMs={2500} />
        <SplitBar queuedMs={0} runningMs={0} suspendedMs={0} />
        <Sparkline values={[1, 5, null, 3, 9, 2]} words="now 2" />
      </section>
      <section className={css["stack"]} aria-label="Opening">
        <Waterfall
          label="Layers of the opening"
          now={4200}
          steps={[
            { id: "1", name: "Database", from: 0, to: 800 },
            { id: "2", name: "Pool", from: 20, to: 700, depth: 1 },
            { id: "3", name: "Migrations", from: 800, to: 900, failed: true },
            { id: "4", name: "Browser <b>\u202Egnp", from: 900, to: undefined },
          ]}
        />
      </section>
      <section aria-label="Names">
        <dl className={css["names"]}>
          {hostile.map(([what, name]) => (
            <div key={what}>
              <dt className="sj-note">{what}</dt>
              <dd>
                <Text value={name} /> <span>after it</span>
              </dd>
            </div>
          ))}
        </dl>
      </section>
      <EmptyState
        title="No sessions yet."
        command={`await sessions.run("a", (resource) => resource.query("select 1"))`}
      >
        The first call makes one:
      </EmptyState>
      {open !== undefined && (
        <ConfirmDialog
          title="Close these sessions?"
          count={open === "counting" ? undefined : count}
          things="sessions"
          action="Close sessions"
          typed={
            open === "count"
              ? "count"
              : open === "name"
                ? { text: hostile[0]?.[1] ?? "", what: "the registry's name" }
                : undefined
          }
          problem={count > 1234 ? "There are more now." : undefined}
          onConfirm={(agreed) => {
            // The first time the server has found one more.
            if (open === "count" && agreed === 1234) return setCount(1235)
            toasts.add("good", `Closed ${agreed}.`)
            setOpen(undefined)
          }}
          onClose={() => setOpen(undefined)}
        >
          <p>What they saved is forgotten.</p>
        </ConfirmDialog>
      )}
    </div>
  )
}
