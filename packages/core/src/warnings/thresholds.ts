/** The thresholds of the catalogue, as they are set: by default, for all kinds, for one. */
import { invalidOption } from "../errors.ts"
import { checkedName, checkObject, milliseconds } from "../options.ts"
import type { Time } from "../SessionOptions.ts"
import {
  warningCatalogue,
  warningDefinitions,
  type ThresholdDefinition,
  type WarningDefinition,
  type WarningName,
} from "./catalogue.ts"

/** The thresholds of one warning, as numbers: milliseconds, counts, ratios. */
export type Limits<N extends WarningName> = {
  readonly [T in keyof (typeof warningCatalogue)[N]["thresholds"]]: number
}
export type AllLimits = { readonly [N in WarningName]: Limits<N> }

/** As given: a time where the unit is milliseconds, else a number. `false`: the warning is switched off. */
export type GivenThresholds = {
  readonly [N in WarningName]?:
    | false
    | {
        readonly [
          T in keyof (typeof warningCatalogue)[N]["thresholds"]
        ]?: (typeof warningCatalogue)[N]["thresholds"][T] extends {
          readonly unit: "ms"
        }
          ? Time | undefined
          : number | undefined
      }
    | undefined
}

/** Checked: only what was given, in numbers. */
export type CheckedThresholds = ReadonlyMap<WarningName, false | Readonly<Record<string, number>>>

/** What counts for one kind. */
export interface Settings {
  readonly limits: AllLimits
  readonly off: ReadonlySet<WarningName>
  /** Looks in a row that raise each. */
  readonly looks: Readonly<Record<WarningName, number>>
}

/** Between two looks. */
export const lookEvery = 1000

const names: ReadonlyArray<string> = warningDefinitions.map(({ name }) => name)
export const isWarningName = (name: string): name is WarningName => names.includes(name)

const checkedValue = (option: string, value: unknown, { unit }: ThresholdDefinition): number => {
  if (unit === "ms") return milliseconds(option, value as Time, 0)
  if (typeof value === "number" && value >= 0) return value
  throw invalidOption(`${option}: a number of at least 0 is allowed, got ${typeof value}.`)
}
const checkedLimits = (
  where: string,
  given: object,
  { thresholds }: WarningDefinition,
): Readonly<Record<string, number>> => {
  const limits: Record<string, number> = {}
  for (const [name, value] of Object.entries(given)) {
    const definition = Object.hasOwn(thresholds, name) ? thresholds[name] : undefined
    if (definition === undefined)
      throw invalidOption(
        `${where}.${name}: there is no such threshold. Known: ${Object.keys(thresholds).join(", ")}.`,
      )
    if (value !== undefined) limits[name] = checkedValue(`${where}.${name}`, value, definition)
  }
  return limits
}

/** @throws SessionMisuse InvalidOption */
export const checkThresholds = (where: string, given: GivenThresholds | undefined): CheckedThresholds => {
  const checked = new Map<WarningName, false | Readonly<Record<string, number>>>()
  if (given === undefined) return checked
  checkObject(where, given)
  for (const [name, value] of Object.entries(given) as ReadonlyArray<[string, unknown]>) {
    const option = `${where}.${name}`
    if (!isWarningName(name))
      throw invalidOption(`${option}: there is no such warning. Known: ${names.join(", ")}.`)
    if (value === undefined) continue
    if (value === false) checked.set(name, false)
    else {
      checkObject(option, value)
      checked.set(name, checkedLimits(option, value as object, warningCatalogue[name]))
    }
  }
  return checked
}

/** @throws SessionMisuse InvalidOption */
export const checkKinds = (
  given: Readonly<Record<string, GivenThresholds>> | undefined,
): ReadonlyMap<string, CheckedThresholds> => {
  if (given === undefined) return new Map()
  checkObject("kinds", given)
  return new Map(
    Object.entries(given).map(([kind, thresholds]) => [
      checkedName("kinds", kind),
      checkThresholds(`kinds.${kind.slice(0, 64)}`, thresholds),
    ]),
  )
}

/** Later layers count more. */
export const settingsOf = (layers: Iterable<CheckedThresholds>): Settings => {
  const limits: Record<string, Record<string, number>> = {}
  for (const { name, thresholds } of warningDefinitions)
    limits[name] = Object.fromEntries(
      Object.entries(thresholds).map(([key, { default: value }]) => [key, value]),
    )
  const off = new Set<WarningName>()
  for (const layer of layers)
    for (const [name, given] of layer) {
      if (given === false) {
        off.add(name)
        continue
      }
      off.delete(name)
      Object.assign(limits[name] ?? {}, given)
    }
  const looks = Object.fromEntries(
    names.map((name) => [name, Math.max(1, Math.round((limits[name]?.["for"] ?? 0) / lookEvery))]),
  )
  return { limits: limits as AllLimits, off, looks: looks as Record<WarningName, number> }
}

/** Looks in a quarter of a window. */
export const quarterOf = (window: number): number => Math.max(1, Math.round(window / 4 / lookEvery))

/** What the registry was called when others of its name are live: `room#2`. */
const displayNumber = /(?<=.)#(?:[2-9]|[1-9]\d+)$/s
/** `room` and `room#2` are one kind. */
export const kindOf = (name: string): string => name.replace(displayNumber, "")
