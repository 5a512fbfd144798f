/**
 * Mistakes in how an application is put together that work until they do not. Each is looked for where it shows by
 * itself, told once, and has a page in docs/setup. The idea of coded checks is express-rate-limit's.
 */
export const setupChecks = {
  SOJOURN_REGISTRY_IN_HANDLER:
    "A registry is made inside a request handler, so each request has sessions of its own. Make it once, at module level.",
  SOJOURN_OWNER_FROM_HEADER:
    "A session's owner was taken from the request as the client sent it, so anyone can be anyone. Take it from what your login has verified.",
  SOJOURN_TRUST_PROXY:
    "A request came through a proxy that the application does not know of: addresses and https are the proxy's, not the client's. Say which proxies are trusted.",
  SOJOURN_TWO_COPIES:
    "A package that must be one is there twice, so what belongs together does not find each other. Make its versions agree, and deduplicate.",
  SOJOURN_IDLE_BEFORE_OPEN:
    "Opening a session takes longer than it may stay idle, so whoever comes back after a short pause waits for all of it again. Raise idleTimeout.",
  SOJOURN_DRAIN_TOO_LONG:
    "A drain may take longer than the platform waits before it kills the process. Shorten the drain; or raise the platform's grace, and say so in SOJOURN_PLATFORM_GRACE.",
  SOJOURN_REJECTIONS:
    "Express 4 does not hand a handler's rejection to the error handlers: it ends the process. Wrap the handler in `route`.",
} as const

export type SetupCode = keyof typeof setupChecks

export interface SetupFinding {
  readonly code: SetupCode
  /** What was seen, and where. Never a key, an owner or a header's value. */
  readonly evidence: string
  readonly advice: string
  /** The page that says more. */
  readonly docs: string
}
