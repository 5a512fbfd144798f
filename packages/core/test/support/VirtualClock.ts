/** The clock of the test kit, for our own tests. */
export { settle } from "../../src/testing/realTime.ts"
export { VirtualClock } from "../../src/testing/VirtualClock.ts"
