/**
 * Just enough reading of TypeScript for the gates: comments go, imports and test titles come out. Not a parser; it knows
 * strings, templates, comments and (by what stands before the slash) regular expressions.
 */

const beforeRegExp = /(?:^|[=(,:[!&|?{};>+\-*%~^<]|\b(?:return|typeof|case|of|in|await|yield))$/

/** Index after the literal or comment that starts at `at`; `at` when none starts there. */
const afterOpaque = (text: string, at: number): number => {
  const char = text[at]
  if (char === '"' || char === "'") {
    let end = at + 1
    while (end < text.length && text[end] !== char && text[end] !== "\n") end += text[end] === "\\" ? 2 : 1
    return end + 1
  }
  if (char === "`") {
    let end = at + 1
    while (end < text.length && text[end] !== "`") {
      if (text.startsWith("${", end)) end = afterBracket(text, end + 1)
      else end += text[end] === "\\" ? 2 : 1
    }
    return end + 1
  }
  if (char !== "/") return at
  if (text[at + 1] === "/") {
    const end = text.indexOf("\n", at)
    return end === -1 ? text.length : end
  }
  if (text[at + 1] === "*") {
    const end = text.indexOf("*/", at + 2)
    return end === -1 ? text.length : end + 2
  }
  if (!beforeRegExp.test(text.slice(Math.max(0, at - 40), at).trimEnd())) return at
  let end = at + 1
  let inClass = false
  while (end < text.length && text[end] !== "\n" && (inClass || text[end] !== "/")) {
    if (text[end] === "[") inClass = true
    else if (text[end] === "]") inClass = false
    end += text[end] === "\\" ? 2 : 1
  }
  return text[end] === "/" ? end + 1 : at
}

/** Index after the bracket that closes the one at `at`. */
const afterBracket = (text: string, at: number): number => {
  let depth = 0
  let index = at
  while (index < text.length) {
    const after = afterOpaque(text, index)
    if (after !== index) {
      index = after
      continue
    }
    const char = text[index] ?? ""
    if ("([{".includes(char)) depth += 1
    else if (")]}".includes(char)) {
      depth -= 1
      if (depth === 0) return index + 1
    }
    index += 1
  }
  return index
}

const withoutComments = (text: string): string => {
  let out = ""
  let index = 0
  while (index < text.length) {
    const after = afterOpaque(text, index)
    if (after === index) {
      out += text[index]
      index += 1
    } else {
      out += /^\/[/*]/.test(text.slice(index, index + 2)) ? " " : text.slice(index, after)
      index = after
    }
  }
  return out
}

interface ImportEdge {
  readonly specifier: string
  /** `import type` and `export type`: gone once compiled. */
  readonly typeOnly: boolean
}

export const importsOf = (text: string): ReadonlyArray<ImportEdge> => {
  const code = withoutComments(text)
  const found: Array<ImportEdge> = []
  const statement =
    /^[ \t]*(?:import\s+(type\s+(?!from\b))?(?:[\w$\s{},*]+?\bfrom\s*)?|export\s+(type\s+)?(?:\*(?:\s*as\s+[\w$]+)?|\{[\w$\s,]*\})\s*from\s*)["']([^"'\n]+)["']/gm
  for (const [, importType, exportType, specifier] of code.matchAll(statement))
    found.push({ specifier: specifier ?? "", typeOnly: (importType ?? exportType) !== undefined })
  for (const [, specifier] of code.matchAll(/\bimport\s*\(\s*["'`]([^"'`]+)["'`]/g))
    found.push({ specifier: specifier ?? "", typeOnly: false })
  return found
}

/** The titles given to the functions named in `callees`, in any of their forms: `it("…")`, `it.effect("…")`, `it.each(rows)("…")`. */
export const titlesOf = (text: string, callees: ReadonlyArray<string>): ReadonlyArray<string> => {
  const code = withoutComments(text)
  const titles: Array<string> = []
  for (const match of code.matchAll(
    new RegExp(`(?<![\\w$.])(?:${callees.join("|")})(?:\\s*\\.\\s*\\w+)*\\s*\\(`, "g"),
  )) {
    let open = match.index + match[0].length - 1
    for (;;) {
      const rest = code.slice(open + 1)
      const start = open + 1 + rest.length - rest.trimStart().length
      if (/["'`]/.test(code[start] ?? "")) {
        titles.push(code.slice(start + 1, afterOpaque(code, start) - 1))
        break
      }
      const next = afterBracket(code, open)
      if (code[next] !== "(") break
      open = next
    }
  }
  return titles
}
