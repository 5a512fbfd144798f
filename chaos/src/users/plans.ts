/** What a body will do, and how it is called, drawn when it is handed in. */
import type { RunOptions, RunTask, SessionKey, WhenBusy } from "@sojourn/core"
import type { Told } from "../book/Book.ts"
import type { Call, Life } from "../book/types.ts"
import type { Random } from "../random.ts"
import type { Resource, Site } from "../world/Scene.ts"

export type Hang = "heeding" | "heeding, then a value" | "deaf for a while" | "until let go"
export type Step =
  | { readonly is: "ask"; readonly text: string }
  | { readonly is: "pause"; readonly ms: number }
  | { readonly is: "hang"; readonly how: Hang; readonly ms: number }
  | { readonly is: "progress" | "broken" | "close" | "restart" | "closeInside" | "acquire" | "harm" }
  | { readonly is: "background"; readonly how: "works" | "throws" | "hangs" }
  | { readonly is: "nested"; readonly where: "own" | "beside" | "behind" | "other" | "elsewhere" }

export interface BodyPlan {
  readonly steps: ReadonlyArray<Step>
  readonly end: "value" | "throw" | "throw at once" | "value at once"
}

export interface CallPlan {
  readonly whenBusy?: WhenBusy
  readonly detach?: boolean
  readonly mustExist?: boolean
  readonly idempotent?: boolean
  readonly timeout?: number
  /** Milliseconds after which its caller aborts; 0: before the call. */
  readonly abortAfter?: number
  readonly body: BodyPlan
}
/** Where a call comes from: a turn, an opening or a finalizer, a lease; left out: from nowhere. */
export interface Origin {
  readonly parent?: Call | undefined
  readonly fromLife?: Life | undefined
  readonly lease?: HeldLease | undefined
}
interface HeldLease {
  readonly call: Call
  readonly run: <A>(task: RunTask<Resource, A>, options?: RunOptions) => Promise<A>
}
/** Resolves to what the caller was told. */
export type HandIn = (
  site: Site,
  key: SessionKey,
  plan: CallPlan,
  random: Random,
  origin?: Origin,
) => Promise<Told>

const kindsOfBody = {
  quick: 54,
  "at once": 10,
  slow: 8,
  throws: 6,
  hangs: 5,
  "breaks it": 3,
  "ends it": 3,
  background: 3,
  nests: 7,
  acquires: 1,
} as const

const ask = (random: Random): Step => ({ is: "ask", text: `q${random.below(1_000_000)}` })
const hangs = {
  heeding: 5,
  "heeding, then a value": 3,
  "deaf for a while": 4,
  "until let go": 1,
} as const

export const drawBody = (random: Random, gentle: boolean): BodyPlan => {
  const kind = random.weighted(gentle ? { ...kindsOfBody, hangs: 0, slow: 20 } : kindsOfBody)
  const value = { end: "value" } as const
  switch (kind) {
    case "quick":
      return { steps: [ask(random)], ...value }
    case "at once":
      return { steps: [], end: random.chance(0.2) ? "throw at once" : "value at once" }
    case "slow": {
      const steps: Array<Step> = []
      for (let left = random.between(1, 4); left > 0; left--)
        steps.push(ask(random), { is: "pause", ms: random.between(1, 80) }, { is: "progress" })
      return { steps, ...value }
    }
    case "throws":
      return { steps: random.chance(0.5) ? [ask(random)] : [], end: "throw" }
    case "hangs":
      return {
        steps: [ask(random), { is: "hang", how: random.weighted(hangs), ms: random.between(200, 1500) }],
        end: random.chance(0.7) ? "value" : "throw",
      }
    case "breaks it":
      return {
        steps: [ask(random), { is: random.chance(0.5) ? "broken" : "harm" }, ask(random)],
        end: random.chance(0.5) ? "value" : "throw",
      }
    case "ends it":
      return {
        steps: [{ is: random.pick(["close", "restart", "closeInside"] as const) }, ask(random)],
        ...value,
      }
    case "background":
      return {
        steps: [{ is: "background", how: random.pick(["works", "works", "throws", "hangs"] as const) }],
        ...value,
      }
    case "nests":
      return {
        steps: [
          { is: "nested", where: random.pick(["own", "beside", "behind", "other", "elsewhere"] as const) },
        ],
        ...value,
      }
    case "acquires":
      return { steps: [{ is: "acquire" }, ask(random)], ...value }
  }
}
