/** Every file that is made from the catalogue, and what must stand in it. */
import { join } from "node:path"
import { rules } from "./alerts.ts"
import { board } from "./board.ts"
import { readme } from "./readme.ts"

const at = (path: string): string => join(import.meta.dirname, "..", path)

export const files = {
  board: at("grafana/sojourn.json"),
  rules: at("alerts/sojourn.rules.yml"),
  readme: at("README.md"),
} as const

export const made = (
  read: (path: string) => string,
): ReadonlyArray<readonly [file: string, text: string]> => [
  [files.board, board()],
  [files.rules, rules()],
  [files.readme, readme(read(files.readme))],
]
