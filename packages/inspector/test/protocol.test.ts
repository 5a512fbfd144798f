/** The protocol itself: every field says what it is, in which unit and how large; the document is made of it. */
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { endpoints, openApi, paths, problemTitles, type Endpoint } from "../src/protocol.ts"
import { rooms, serve } from "./support.ts"

// oxlint-disable-next-line typescript/no-explicit-any
type Json = { readonly [name: string]: any }
const all = Object.entries<Endpoint>(endpoints)
const document: Json = openApi()
const schemas = document["components"].schemas as Json

const units =
  /(?:Epoch milliseconds|Milliseconds|Count|Bytes|Ratio, 0 to 1|In the unit its name says|In the column's unit|Code)\.$/
/** Every property, with where it is. */
function* properties(schema: Json, where: string): Generator<readonly [string, Json]> {
  for (const [name, property] of Object.entries<Json>(schema["properties"] ?? {})) {
    yield [`${where}.${name}`, property]
    yield* properties(property, `${where}.${name}`)
  }
  for (const key of ["items", "additionalProperties"] as const)
    if (typeof schema[key] === "object") {
      yield [`${where}[]`, schema[key]]
      yield* properties(schema[key], `${where}[]`)
    }
  for (const key of ["anyOf", "oneOf"] as const)
    for (const one of schema[key] ?? []) yield* properties(one, where)
}

describe("the protocol", () => {
  it("every field has a description, every number a unit and a bound, every text and list a length", () => {
    const wrong: Array<string> = []
    for (const [name, schema] of Object.entries<Json>(schemas))
      for (const [where, property] of properties(schema, name)) {
        const { type, description = "" } = property as { type?: string; description?: string }
        const says =
          description !== "" || "$ref" in property || "anyOf" in property || "properties" in property
        if (!says && !where.endsWith("[]")) wrong.push(`${where}: no description`)
        const counts = (type === "number" || type === "integer") && !("enum" in property)
        if (counts && !units.test(description)) wrong.push(`${where}: no unit`)
        const free = /unit (?:its name says|)\.?$|column's unit\.$/.test(description)
        if (counts && !free && !("minimum" in property)) wrong.push(`${where}: no bound`)
        if (
          type === "string" &&
          !("maxLength" in property) &&
          !("enum" in property) &&
          !("pattern" in property)
        )
          wrong.push(`${where}: no length`)
      }
    expect(wrong).toEqual([])
  })

  it("times end in At, since, from, to, until or are called t; durations end in Ms", () => {
    const wrong: Array<string> = []
    for (const [name, schema] of Object.entries<Json>(schemas))
      for (const [where, { description = "" }] of properties(schema, name)) {
        const field = where.split(".").at(-1) ?? ""
        if (description.endsWith(" Milliseconds.") && !field.endsWith("Ms") && !field.endsWith("[]"))
          wrong.push(where)
        if (
          description.endsWith("Epoch milliseconds.") &&
          !/(?:At|at|[sS]ince|from|to|start|[uU]ntil|after|^t)$/.test(field)
        )
          wrong.push(where)
      }
    expect(wrong).toEqual([])
  })

  it("the table and the paths are one", () => {
    expect(Object.fromEntries(all.map(([name, { path }]) => [name, path]))).toEqual(paths)
  })

  it("the document is served, has every endpoint, and no reference leads nowhere", async () => {
    const { url } = await serve({ sessions: [rooms()] })
    const response = await fetch(`${url}/openapi.json`)
    expect(await response.json()).toEqual(JSON.parse(JSON.stringify(document)))
    for (const [name, { method, path }] of all) expect(document["paths"][path][method].operationId).toBe(name)
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)]
    expect(references.length).toBeGreaterThan(20)
    for (const [, name = ""] of references) expect(schemas).toHaveProperty([decodeURIComponent(name)])
    expect(JSON.stringify(document)).not.toContain("$defs")
  })

  it("a stream's parameters are those of its windows as well", () => {
    const names = document["paths"]["/stream"].get.parameters.map(({ name }: Json) => name as string)
    expect(names).toEqual(
      expect.arrayContaining(["view", "everyMs", "of", "series", "kind", "state", "limit", "olderThanMs"]),
    )
    expect(new Set(names).size).toBe(names.length)
  })

  it("schemas refuse what is out of bounds", () => {
    const decode = Schema.decodeUnknownExit(endpoints.sessions.query)
    expect(decode({ limit: 200, sort: "-turns" })._tag).toBe("Success")
    for (const wrong of [
      { limit: 201 },
      { limit: 1.5 },
      { sort: "key" },
      { text: "x".repeat(129) },
      { state: ["x"] },
    ])
      expect(decode(wrong)._tag).toBe("Failure")
  })

  it("problems are few and have words", () => {
    for (const title of Object.values(problemTitles)) expect(title).toMatch(/\.$/)
  })
})
