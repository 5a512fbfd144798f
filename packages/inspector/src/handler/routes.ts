import { paths, type EndpointName } from "../protocol/paths.ts"

export interface Route {
  readonly name: EndpointName | "openapi"
  readonly method: "GET" | "POST"
  /** What stands in the places of the path's names, decoded. */
  readonly values: ReadonlyArray<string>
}

const patterns = Object.entries({ ...paths, openapi: "/openapi.json" }).map(([name, path]) => ({
  name: name as Route["name"],
  method: name === "act" || name === "profile" ? ("POST" as const) : ("GET" as const),
  pattern: new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "([^/]+)")}$`),
}))

/** What is at a path, and the methods it may be asked with; none: there is nothing. */
export const routeOf = (
  path: string,
): { readonly found: ReadonlyArray<Route>; readonly allow: ReadonlyArray<string> } => {
  const found = patterns.flatMap(({ method, name, pattern }): ReadonlyArray<Route> => {
    const values = pattern.exec(path)?.slice(1).map(decoded)
    return values === undefined || values.includes(undefined)
      ? []
      : [{ name, method, values: values as ReadonlyArray<string> }]
  })
  return {
    found,
    allow: found.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method])),
  }
}
const decoded = (part: string): string | undefined => {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}
