/** What every store asks of a state before it copies or writes it. */
import { invalidOption } from "../errors.ts"
import { wholeNumber } from "../options.ts"
import { sizeOf } from "./sizeOf.ts"

/** Bytes: 1 MiB. */
const defaultMaxBytes = 1_048_576

/** The option of all stores: the largest state that is taken, by the rough measure of `sizeOf`. */
export const checkedMaxBytes = (given: number | undefined): number =>
  wholeNumber("maxBytes", given, defaultMaxBytes, 1)

/** A text that is needed, or the one to fall back on. */
export const checkedText = (option: string, given: string | undefined, fallback?: string): string => {
  const text = given ?? fallback
  if (typeof text !== "string" || (text === "" && fallback === undefined))
    throw invalidOption(`${option}: a text is needed, got ${text === "" ? "an empty one" : typeof text}.`)
  return text
}

/** @throws what `sizeOf` throws, and RangeError for a state over `maxBytes` */
export const checkState = (state: unknown, maxBytes: number, buffers: "whole" | "own"): void => {
  if (sizeOf(state, maxBytes, buffers) > maxBytes) {
    throw new RangeError(
      `The state is larger than ${maxBytes} bytes, the most this store takes. Save less, or raise the store's maxBytes.`,
    )
  }
}
