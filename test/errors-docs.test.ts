/**
 * The errors in the code and their pages in docs/errors say the same: one page for each tag, in it one `## Reason`
 * heading for each reason, and none for anything else. Other headings have another level or more than one word.
 */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import {
  sessionMisuseReasons,
  sessionOpenFailedReasons,
  sessionRefusedReasons,
  taskStoppedReasons,
} from "../packages/core/src/errors.ts"
import { filesBelow, root } from "./support/files.ts"

const errors: Readonly<Record<string, ReadonlyArray<string>>> = {
  SessionRefused: sessionRefusedReasons,
  SessionOpenFailed: sessionOpenFailedReasons,
  TaskStopped: taskStoppedReasons,
  SessionMisuse: sessionMisuseReasons,
}

/** Pages of docs/errors that describe no tag. */
const otherPages = new Set(["README"])

const reasonsIn = (page: string): ReadonlyArray<string> => {
  const prose = page.replaceAll(/^(`{3,}).*?^\1/gms, "")
  return [...prose.matchAll(/^## +`?(\w+)`?[ \t]*$/gm)].map(([, reason]) => reason ?? "")
}

const compare = (reasons: ReadonlyArray<string>, page: string) => {
  const told = reasonsIn(page)
  return {
    undocumented: reasons.filter((reason) => !told.includes(reason)),
    unknown: told.filter((reason) => !reasons.includes(reason)),
    twice: told.filter((reason, index) => told.indexOf(reason) !== index),
  }
}

const agreed = { undocumented: [], unknown: [], twice: [] }

describe("errors in the code and in docs/errors", () => {
  it.each(Object.entries(errors))("%s", (tag, reasons) => {
    const page = join(root, `docs/errors/${tag}.md`)
    expect(existsSync(page), `docs/errors/${tag}.md is missing`).toBe(true)
    expect(reasons.length).toBeGreaterThan(0)
    expect(compare(reasons, readFileSync(page, "utf8"))).toEqual(agreed)
  })

  it("no page without an error", () => {
    const pages = filesBelow("docs/errors")
      .filter((path) => path.endsWith(".md"))
      .map((path) => path.slice("docs/errors/".length, -".md".length))
    expect(pages.filter((page) => !(page in errors) && !otherPages.has(page))).toEqual([])
  })
})

it("the gate finds what it looks for", () => {
  const page =
    "# Tag\n\n## Busy\n\n```md\n## NotFound\n```\n\n## See also\n\n## `Closed`\n\n## Gone\n\n## Busy\n"
  expect(compare(["Busy", "Closed", "NotFound"], page)).toEqual({
    undocumented: ["NotFound"],
    unknown: ["Gone"],
    twice: ["Busy"],
  })
  expect(compare(["Busy"], "## Busy\n")).toEqual(agreed)
})
