/** What needs Node: `@sojourn/core/node`. The root entry runs without it. */
export { drainOnSignals, type DrainOnSignals } from "./node/drainOnSignals.ts"
export { ownProcess, type OwnProcess } from "./node/ownProcess.ts"
export { ownedProcesses } from "./node/ownProcess/household.ts"
export { fileStore, type FileStoreOptions } from "./node/fileStore.ts"
