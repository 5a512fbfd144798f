/** The OpenAPI document, made of the endpoints' table and the schemas. */
import * as Schema from "effect/Schema"
import { Problem } from "./about.ts"
import { endpoints, type Endpoint } from "./endpoints.ts"
import { SessionQuery, TaskQuery } from "./windows.ts"
import { protocolVersion } from "./version.ts"

type Json = { readonly [name: string]: unknown }

/** OpenAPI 3.1. */
export const openApi = (): Json => {
  const schemas: Record<string, unknown> = {}
  const shape = (schema: Schema.Top): unknown => {
    const { definitions, schema: top } = Schema.toJsonSchemaDocument(schema)
    for (const [name, definition] of Object.entries(definitions)) schemas[name] = moved(definition)
    return moved(top)
  }
  const paths: Record<string, Record<string, unknown>> = {}
  for (const [name, endpoint] of Object.entries<Endpoint>(endpoints))
    (paths[endpoint.path] ??= {})[endpoint.method] = operation(name, endpoint, shape)
  paths["/openapi.json"] = {
    get: {
      operationId: "openapi",
      summary: "This document.",
      responses: { 200: { description: "This document.", content: { "application/json": { schema: {} } } } },
    },
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Sojourn inspector",
      version: String(protocolVersion),
      description:
        "What the registries of a process know. Times are epoch milliseconds; durations are milliseconds and end in Ms. Sessions are told by the hash of their key.",
    },
    servers: [{ url: "." }],
    paths,
    components: { schemas },
  }
}

/** Definitions are under another name here. */
const moved = (schema: unknown): unknown =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'))

const operation = (name: string, endpoint: Endpoint, shape: (schema: Schema.Top) => unknown): Json => {
  const answer = {
    description: endpoint.summary,
    content: {
      [endpoint.stream === true ? "text/event-stream" : (endpoint.file ?? "application/json")]: {
        schema: shape(endpoint.answer),
        ...(endpoint.stream === true && { "x-each-event": "frame" }),
      },
    },
  }
  return {
    operationId: name,
    summary: endpoint.summary,
    "x-role": endpoint.role,
    parameters: [
      ...[...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => ({
        name: parameter,
        in: "path",
        required: true,
        schema: { type: "string" },
      })),
      ...queryParameters(name, endpoint, shape),
    ],
    ...(endpoint.body !== undefined && {
      requestBody: { required: true, content: { "application/json": { schema: shape(endpoint.body) } } },
    }),
    responses: {
      [endpoint.method === "post" ? "202" : "200"]: answer,
      ...(endpoint.method === "post"
        ? { 200: { ...answer, description: "It is over." } }
        : { 304: { description: "Nothing has changed since the ETag in If-None-Match." } }),
      default: {
        description: "It was not answered, and why.",
        content: { "application/problem+json": { schema: shape(Problem) } },
      },
    },
  }
}

/** A stream takes those of its windows as well. */
const queryParameters = (
  name: string,
  { query }: Endpoint,
  shape: (schema: Schema.Top) => unknown,
): Iterable<Json> => {
  const found = new Map<unknown, Json>()
  const queries = [
    ...(name === "stream" || name === "snapshot" ? [SessionQuery, TaskQuery] : []),
    ...(query === undefined ? [] : [query]),
  ]
  for (const one of queries)
    for (const parameter of parameters(one, shape)) found.set(parameter["name"], parameter)
  return found.values()
}

const parameters = (
  query: Schema.Struct<Schema.Struct.Fields>,
  shape: (schema: Schema.Top) => unknown,
): ReadonlyArray<Json> => {
  const object = Schema.toJsonSchemaDocument(query)
  const own = object.schema["$ref"]
  const top =
    (typeof own === "string" ? object.definitions[own.slice("#/$defs/".length)] : object.schema) ?? {}
  const required = new Set(Array.isArray(top["required"]) ? top["required"] : [])
  for (const field of Object.values(query.fields)) shape(field as Schema.Top)
  return Object.entries((top["properties"] ?? {}) as Json).map(([name, schema]) => ({
    name,
    in: "query",
    required: required.has(name),
    schema: moved(schema),
  }))
}
