/** What a promise rejects with; looked at from now on, so that it is no unhandled rejection meanwhile. */
export const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => `no failure: ${String(value)}`,
    (error: unknown) => error,
  )
