/** The battery that every HTTP host runs: one application, described without a host, and what must be true of it on each. */
export { describeHost } from "./describeHost.ts"
export type { Host, Started } from "./Host.ts"
export type { CounterSession, Fixture, Route } from "./fixture.ts"

// For a host's own tests.
export { allEvents, events, rest, take, type WireEvent } from "./client/events.ts"
export { raw, RawClient, type RawAnswer, type RawInit } from "./client/raw.ts"
export { atRest, next, until } from "./client/until.ts"
