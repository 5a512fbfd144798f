/** What the registries of this process know, over HTTP. */
export { dashboard, type Dashboard } from "./handler/node.ts"
export { dashboardFetch, type FetchInspector, type FetchInspectorOptions } from "./handler/fetch.ts"
export type { InspectorOptions } from "./handler/options.ts"
export { protocolVersion } from "./protocol/version.ts"
export type { ActionName, Role } from "./protocol/words.ts"
export type { ActionRecord } from "./protocol/actions.ts"
