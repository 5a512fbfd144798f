/** A warning that is raised. */
import { hashedKey } from "../hashedKey.ts"
import type { SessionRef } from "../SessionKey.ts"
import type { WarningDefinition, WarningId, WarningName, WarningScope, WarningSeverity } from "./catalogue.ts"

export type Evidence = Readonly<Record<string, number>>

/** Data that lasts: it holds no session. What prints objects does not print whose session it is; `keyHash` may be shown. */
export interface ActiveWarning {
  readonly id: WarningId
  readonly name: WarningName
  readonly scope: WarningScope
  readonly severity: WarningSeverity
  /** The registry's name; undefined: it is the process's. */
  readonly kind: string | undefined
  /** Of a task, a session or a key. It holds the key itself, so it is not enumerable. */
  readonly session: SessionRef | undefined
  /** The key as logs may show it. */
  readonly keyHash: string | undefined
  readonly task: { readonly id: string; readonly name: string } | undefined
  /** When it was raised. Epoch milliseconds. */
  readonly since: number
  /** The numbers it rests on, as of the last look; after it was cleared, as of the last that was bad. */
  readonly evidence: Evidence
  readonly advice: string
  /** Path of its page in the repository. */
  readonly docs: string
  /** Epoch milliseconds; undefined: it is not muted. */
  readonly mutedUntil: number | undefined
}

/** What the shown warning reads from outside of itself. */
export interface Mutes {
  readonly mutedUntil: (name: WarningName, kind: string | undefined) => number | undefined
}

export class Raised implements ActiveWarning {
  readonly id: WarningId
  readonly name: WarningName
  readonly scope: WarningScope
  readonly severity: WarningSeverity
  readonly kind: string | undefined
  readonly task: { readonly id: string; readonly name: string } | undefined
  readonly since: number
  evidence: Evidence
  readonly advice: string
  readonly docs: string
  readonly #session: SessionRef | undefined
  readonly #mutes: Mutes

  constructor(
    { advice, docs, id, name, scope, severity }: WarningDefinition,
    kind: string | undefined,
    session: SessionRef | undefined,
    task: ActiveWarning["task"],
    evidence: Evidence,
    since: number,
    mutes: Mutes,
  ) {
    this.id = id
    this.name = name
    this.scope = scope
    this.severity = severity
    this.kind = kind
    this.task = task
    this.since = since
    this.evidence = evidence
    this.advice = advice
    this.docs = docs
    this.#session = session
    this.#mutes = mutes
  }
  get session(): SessionRef | undefined {
    return this.#session
  }
  get keyHash(): string | undefined {
    return this.#session === undefined ? undefined : hashedKey(this.#session.key)
  }
  get mutedUntil(): number | undefined {
    return this.#mutes.mutedUntil(this.name, this.kind)
  }
}
