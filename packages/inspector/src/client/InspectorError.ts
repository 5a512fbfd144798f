import type { Problem } from "../protocol/about.ts"
import type { ProblemCode } from "../protocol/words.ts"

/**
 * Why a question was not answered. `code`: the inspector's own word, or `unreachable` (no answer came), `not-inspector` (what
 * answered is something else), `version` (it speaks another version of the protocol).
 */
export class InspectorError extends Error {
  readonly _tag = "InspectorError"
  readonly code: ProblemCode | "unreachable" | "not-inspector" | "version"
  /** 0: no answer came. */
  readonly status: number
  readonly problem: Problem | undefined
  constructor(
    code: InspectorError["code"],
    message: string,
    more: {
      readonly status?: number | undefined
      readonly problem?: Problem | undefined
      readonly cause?: unknown
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.name = "InspectorError"
    this.code = code
    this.status = more.status ?? 0
    this.problem = more.problem
  }
  /** Asking again may help. */
  get passing(): boolean {
    return this.code === "unreachable" || this.status >= 500 || this.status === 429
  }
}
