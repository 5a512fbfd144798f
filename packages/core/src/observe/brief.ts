/** Texts of others, made fit to be shown: errors, names and keys may steer a terminal or reorder a line. */

/** Control and format characters go. */
export const harmless = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?").slice(0, 80)

/** An error in a few words; whatever it is, this throws nothing. */
export const brief = (error: unknown): string => {
  try {
    return String(error instanceof Error ? error.message : error)
  } catch {
    return "an error that cannot be shown"
  }
}
