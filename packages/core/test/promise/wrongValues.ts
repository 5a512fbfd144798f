/** What options must not take, by what they do take. */

/** What it throws; nothing may be made of it. */
export const thrown = (make: () => unknown): unknown => {
  try {
    return make()
  } catch (error) {
    return error
  }
}

export const times: ReadonlyArray<unknown> = [
  -1,
  Number.NaN,
  -Infinity,
  "-Infinity",
  "5 parsecs",
  "5",
  "",
  "soon",
  "-5 seconds",
  "5seconds",
  true,
  null,
  5n * -1n,
  {},
  { secnds: 5 },
  { seconds: Number.NaN },
  { seconds: "5" },
  { seconds: -5 },
  [5],
  [Number.NaN, 0],
  [-1, 0],
  ["1", "2"],
  new Date(0),
  () => 5,
  Symbol("5"),
]
export const counts: ReadonlyArray<unknown> = [
  -1,
  1.5,
  Number.NaN,
  -Infinity,
  "5",
  true,
  null,
  2 ** 53,
  5n,
  {},
  [],
]
export const texts: ReadonlyArray<unknown> = ["", "a".repeat(129), 5, null, undefined, {}, true]
export const flags: ReadonlyArray<unknown> = [1, 0, "true", null, {}]
export const functions: ReadonlyArray<unknown> = [undefined, null, 5, "open", {}]
export const objects: ReadonlyArray<unknown> = [null, 5, "5", true, []]
