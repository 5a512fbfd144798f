/** Writes what is made from the catalogue: the board for Grafana, the alert rules, the tables of the README. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { made } from "./made.ts"

for (const [file, text] of made((path) => readFileSync(path, "utf8"))) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
