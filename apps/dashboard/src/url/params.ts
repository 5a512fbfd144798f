/**
 * What stands after the `?` of a view's address, with types. Reading never fails: what is unknown, too long or malformed is
 * left out, because an address may come from an older page or from somebody else. Writing leaves out what is usual, so that
 * an untouched view has a short address.
 */

/** One parameter: how it is read from all its values, and written. */
export interface Param<T> {
  readonly usual: T
  read(values: ReadonlyArray<string>): T | undefined
  // A method, so that parameters of any type fit into one record.
  write(value: T): ReadonlyArray<string>
}

export type Params = Readonly<Record<string, Param<unknown>>>
export type Values<P extends Params> = { readonly [K in keyof P]: P[K] extends Param<infer T> ? T : never }

const one = <T>(usual: T, read: (value: string) => T | undefined, write: (value: T) => string): Param<T> => ({
  usual,
  read: ([value]) => (value === undefined ? undefined : read(value)),
  write: (value) => [write(value)],
})

/** Free text, cut to `most` characters. */
export const text = (usual = "", most = 128): Param<string> =>
  one(usual, (value) => value.slice(0, most), String)

export const integer = (usual: number, least: number, most: number): Param<number> =>
  one(
    usual,
    (value) => {
      if (!/^-?\d{1,15}$/u.test(value)) return undefined
      const number = Number(value)
      return number >= least && number <= most ? number : undefined
    },
    String,
  )

export const flag = (usual = false): Param<boolean> =>
  one(
    usual,
    (value) => (value === "1" ? true : value === "0" ? false : undefined),
    (value) => (value ? "1" : "0"),
  )

export const choice = <const L extends ReadonlyArray<string>>(
  literals: L,
  usual: L[number],
): Param<L[number]> => one(usual, (value) => literals.find((literal) => literal === value), String)

/** Present or not; of fixed words. */
export const maybe = <const L extends ReadonlyArray<string>>(literals: L): Param<L[number] | undefined> => ({
  usual: undefined,
  read: ([value]) => literals.find((literal) => literal === value),
  write: (value) => (value === undefined ? [] : [value]),
})

/** Several of fixed words, each once, in the order of the words. */
export const several = <const L extends ReadonlyArray<string>>(
  literals: L,
): Param<ReadonlyArray<L[number]>> => ({
  usual: [],
  read: (values) => literals.filter((literal) => values.includes(literal)),
  write: (value) => literals.filter((literal) => value.includes(literal)),
})

/** Several texts of any kind, each once. */
export const texts = (most = 50, longest = 145): Param<ReadonlyArray<string>> => ({
  usual: [],
  read: (values) => [...new Set(values.filter((value) => value.length <= longest))].slice(0, most),
  write: (value) => value,
})

/** A list in one parameter, in its own order, such as columns: `a,b,c`. Empty is written `-`. */
export const ordered = <const L extends ReadonlyArray<string>>(
  literals: L,
  usual: ReadonlyArray<L[number]>,
): Param<ReadonlyArray<L[number]>> => ({
  usual,
  read: ([value]) => {
    if (value === undefined) return undefined
    if (value === "-") return []
    const known: ReadonlyArray<string> = literals
    const found = [...new Set(value.split(","))].filter((word): word is L[number] => known.includes(word))
    return found.length === 0 ? undefined : found
  },
  write: (value) => [value.length === 0 ? "-" : value.join(",")],
})

/** A column, with `-` before it the largest first. */
export interface Sort<C extends string> {
  readonly column: C
  readonly descending: boolean
}
export const sort = <const L extends ReadonlyArray<string>>(
  columns: L,
  usual: Sort<L[number]>,
): Param<Sort<L[number]>> =>
  one<Sort<L[number]>>(
    usual,
    (value) => {
      const descending = value.startsWith("-")
      const name = descending ? value.slice(1) : value
      const column = columns.find((known) => known === name)
      return column === undefined ? undefined : { column, descending }
    },
    ({ column, descending }) => `${descending ? "-" : ""}${column}`,
  )

const same = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index])

/** Where two views would have the same address their values are the same, and the other way round. */
export const readParams = <P extends Params>(params: P, search: string): Values<P> => {
  const given = new URLSearchParams(search.slice(0, longestAddress))
  const values: Record<string, unknown> = {}
  for (const [name, param] of Object.entries(params)) {
    const found = given.getAll(name)
    values[name] = found.length === 0 ? param.usual : (param.read(found) ?? param.usual)
  }
  return values as Values<P>
}

/** Without `?`, in the order of the declaration; empty where everything is as usual. */
export const writeParams = <P extends Params>(params: P, values: Values<P>): string => {
  const written = new URLSearchParams()
  for (const [name, param] of Object.entries(params)) {
    const value = param.write(values[name as keyof P])
    if (!same(value, param.write(param.usual))) for (const item of value) written.append(name, item)
  }
  return written.toString()
}

/** Characters of an address that are looked at. */
export const longestAddress = 8192
