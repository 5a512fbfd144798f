/** What an expression of Prometheus names: read from its text alone, so that a slip of the generator is seen. */
export interface Selector {
  readonly name: string
  readonly matchers: ReadonlyArray<readonly [label: string, operator: string, value: string]>
}
export interface Seen {
  readonly selectors: ReadonlyArray<Selector>
  /** The labels in `by (…)`, `without (…)`. */
  readonly grouping: ReadonlyArray<string>
}

const words = new Set(["by", "without", "and", "or", "unless", "on", "ignoring", "bool", "offset"])
const token =
  /\s+|"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[a-zA-Z_:][a-zA-Z0-9_:]*|\d+(?:\.\d+)?(?:e-?\d+)?|[<>=!]=|=~|!~|[-+*/%^(){},<>=]/gy

export const readExpression = (text: string): Seen => {
  const tokens: Array<string> = []
  token.lastIndex = 0
  while (token.lastIndex < text.length) {
    const at = token.lastIndex
    const [found] = token.exec(text) ?? []
    if (found === undefined) throw new Error(`cannot be read from here: ${text.slice(at)}`)
    if (found.trim() !== "") tokens.push(found)
  }
  const selectors: Array<Selector> = []
  const grouping: Array<string> = []
  for (let index = 0; index < tokens.length; index++) {
    const word = tokens[index] ?? ""
    if (!/^[a-zA-Z_:]/.test(word)) continue
    const next = tokens[index + 1]
    if (words.has(word)) {
      if (next !== "(") continue
      for (index += 2; tokens[index] !== ")"; index++)
        if (tokens[index] !== ",") grouping.push(tokens[index] ?? "")
    } else if (next !== "(" && next !== "by" && next !== "without") {
      const matchers: Array<Selector["matchers"][number]> = []
      if (next === "{")
        for (index += 2; tokens[index] !== "}"; index++) {
          if (tokens[index] === ",") continue
          const [label = "", operator = "", value = '""'] = tokens.slice(index, index + 3)
          matchers.push([label, operator, JSON.parse(value) as string])
          index += 2
        }
      selectors.push({ name: word, matchers })
    }
  }
  return { selectors, grouping }
}
