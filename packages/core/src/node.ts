/** What needs Node: `@sojourn/core/node`. The root entry runs without it. */
export { drainOnSignals, type DrainOnSignals } from "./node/drainOnSignals.ts"
