/** Why a request is not answered. What goes out is made of it alone: no stack, no message of anybody else's. */
import { bounds, problemTitles, type ProblemCode } from "../protocol/words.ts"
import type { Problem } from "../protocol/about.ts"
import { cleaned } from "./text.ts"

const statuses: { readonly [K in ProblemCode]: number } = {
  "bad-request": 400,
  "not-authorized": 403,
  "not-loopback": 403,
  "cross-site": 403,
  "not-found": 404,
  "method-not-allowed": 405,
  "not-json": 415,
  "too-large": 413,
  "count-differs": 409,
  "not-confirmed": 409,
  "not-possible": 409,
  "not-recorded": 500,
  "too-many-viewers": 503,
  failed: 500,
}

export class Refusal extends Error {
  readonly code: ProblemCode
  readonly detail: string | undefined
  readonly count: number | undefined
  readonly headers: Readonly<Record<string, string>>
  constructor(
    code: ProblemCode,
    more: {
      readonly detail?: string | undefined
      readonly count?: number | undefined
      readonly headers?: Readonly<Record<string, string>> | undefined
    } = {},
  ) {
    super(problemTitles[code])
    this.code = code
    this.detail = more.detail === undefined ? undefined : cleaned(more.detail, bounds.text)
    this.count = more.count
    this.headers = more.headers ?? {}
  }
  get problem(): Problem {
    return {
      type: `urn:problem-type:sojourn-inspector:${this.code}`,
      title: problemTitles[this.code],
      status: statuses[this.code],
      code: this.code,
      ...(this.detail !== undefined && { detail: this.detail }),
      ...(this.count !== undefined && { count: this.count }),
    }
  }
}
