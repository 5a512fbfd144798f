/** For the tests of those who use Sojourn: `@sojourn/core/testing`. It needs Node, and no test runner. */
export { checkOpen, type CheckOpen } from "./testing/open/checkOpen.ts"
export { checkLaws, type CheckLaws, type FixedPolicy } from "./testing/laws/checkLaws.ts"
export { ledger, type Ledger } from "./testing/ledger.ts"
export { testSessions, type TestSessions } from "./testing/testSessions.ts"
export type { Fault } from "./testing/Faults.ts"
export type { At } from "./testing/Watch.ts"
