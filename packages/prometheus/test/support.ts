import type { Registry } from "prom-client"
import { type Family, parse } from "./exposition.ts"

export interface Scrape {
  readonly families: ReadonlyMap<string, Family>
  /** `value("sessions", 'kind="a",state="Ready"')`, labels in alphabetical order; undefined: no such series. */
  readonly value: (name: string, labels?: string) => number | undefined
  /** All series of one metric that are not 0. */
  readonly moved: (name: string) => Readonly<Record<string, number>>
}

export const scrape = async (register: Registry, prefix = "sojourn_"): Promise<Scrape> => {
  const families = parse(await register.metrics())
  const of = (name: string): ReadonlyMap<string, number> => families.get(prefix + name)?.samples ?? new Map()
  return {
    families,
    value: (name, labels = "") => of(name).get(`{${labels}}`),
    moved: (name) => Object.fromEntries([...of(name)].filter(([, value]) => value !== 0)),
  }
}
