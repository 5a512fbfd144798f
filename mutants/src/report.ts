/** The words of a run. */
import { isBad, type Verdict } from "./judge.ts"
import type { Group, Mutant } from "./Mutant.ts"

export interface Judged {
  readonly mutant: Mutant
  readonly verdict: Verdict
  readonly seconds: number
}

export const lineOf = ({ mutant, seconds, verdict }: Judged): string => {
  const detail = "by" in verdict ? `\n        ${verdict.by.replaceAll("\n", "\n        ")}` : ""
  const verb = isBad(verdict) ? verdict.kind.toUpperCase() : verdict.kind
  return `${verb} (${seconds.toFixed(1)} s) ${mutant.name}${detail}`
}

export const summaryOf = (judged: ReadonlyArray<Judged>, seconds: number): string => {
  const lines = ["", `${judged.length} mutants in ${seconds.toFixed(0)} s`]
  const kinds = Map.groupBy(judged, ({ verdict }) => verdict.kind)
  for (const [kind, of] of [...kinds].toSorted(([, one], [, other]) => other.length - one.length))
    lines.push(`${String(of.length).padStart(5)} ${kind}`)
  for (const each of judged) {
    const { kind } = each.verdict
    if (isBad(each.verdict)) lines.push(`${kind.toUpperCase()}: ${each.mutant.name}`)
    else if (kind === "killed elsewhere" || kind === "killed by the time limit")
      lines.push(`${kind}, not by a test of its own: ${each.mutant.name}`)
  }
  return lines.join("\n")
}

export const listText = (groups: ReadonlyArray<Group>): string =>
  groups
    .flatMap(({ mutants, title }) => [
      `\n${title}`,
      ...mutants.map(
        ({ equivalent, laws, name, tests }) =>
          `  ${name}\n      ${laws.join(" ")}  ${equivalent === undefined ? tests.join(" ") : `equivalent: ${equivalent}`}`,
      ),
    ])
    .join("\n")
