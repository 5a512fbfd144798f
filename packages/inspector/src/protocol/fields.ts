/** Fields with their description, unit and bounds. Every number of the protocol says its unit in the last words of its description. */
import * as Schema from "effect/Schema"
import { bounds } from "./words.ts"

// Their types are what `effect/Schema` makes of them.
/** A moment. */
export const at = (description: string) =>
  Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)).annotate({
    description: `${description} Epoch milliseconds.`,
  })
/** A length of time. */
export const ms = (description: string) =>
  Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)).annotate({
    description: `${description} Milliseconds.`,
  })
/** A whole number of things. */
export const count = (description: string, most: number = Number.MAX_SAFE_INTEGER) =>
  Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: most })).annotate({
    description: `${description} Count.`,
  })
export const milliseconds = (description: string, least: number, most: number) =>
  Schema.Int.check(Schema.isBetween({ minimum: least, maximum: most })).annotate({
    description: `${description} Milliseconds.`,
  })
export const ratio = (description: string) =>
  Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })).annotate({
    description: `${description} Ratio, 0 to 1.`,
  })
/** A number that may be anything, such as a warning's evidence; its name says what it is. */
export const number = (description: string) =>
  Schema.Finite.annotate({ description: `${description} In the unit its name says.` })
export const flag = (description: string) => Schema.Boolean.annotate({ description })
export const text = (description: string, most: number = bounds.text) =>
  Schema.String.check(Schema.isMaxLength(most)).annotate({
    description: `${description} At most ${most} characters.`,
  })
export const oneOf = <const L extends ReadonlyArray<string>>(literals: L, description: string) =>
  Schema.Literals(literals).annotate({ description })
export const listOf = <S extends Schema.Constraint>(
  item: S,
  description: string,
  most: number = bounds.list,
) =>
  Schema.Array(item)
    .check(Schema.isMaxLength(most))
    .annotate({ description: `${description} At most ${most}.` })

export const kind = text("The registry's name.", bounds.name)
export const hash = Schema.String.check(Schema.isPattern(/^[0-9a-f]{16}$/u)).annotate({
  description: "The session's `keyHash`: 16 hexadecimal digits. Its key itself is never sent.",
})
export const shown = text(
  "What the host's `show` gives for the session; absent without `show`.",
  bounds.shown,
)
export const taskId = text("The task's id, unique in its registry.", 64)
export const sessionName = Schema.String.check(
  Schema.isMaxLength(bounds.name + 17),
  Schema.isPattern(/^[^]*\/[0-9a-f]{16}$/u),
).annotate({ description: "A session as kind and hash, with a slash between: `chat/0123456789abcdef`." })
