import { createSessions, type Opening, type SessionOptions, type Sessions } from "@sojourn/core"
import { checkSessionOptions } from "@sojourn/core/host"

interface Kept {
  readonly sessions: Sessions<unknown, object, object>
  newest: SessionOptions<unknown, object, object>
}

const slot: unique symbol = Symbol.for("@sojourn/http/reloadable") as never
const shared: { [slot]?: Map<string, Kept> } = globalThis as object
const kept: Map<string, Kept> = (shared[slot] ??= new Map<string, Kept>())

/**
 * Like `createSessions`, for a module that a development server evaluates again when a file changes (Vite, Next, tsx
 * with hot reload): the second call with the same `name` gives the registry of the first, with its live sessions, and
 * from then on sessions are opened by the newest `open`. Everything else stays as it was first given, though it is
 * checked: restart the process to change a limit, a handler or a time. A session that is live keeps what it was opened
 * with; `restart(key)` opens it anew. A registry that was drained is made anew.
 *
 * One name is one registry of the process here. What restarts the process, such as `node --watch`, needs none of this.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const createReloadableSessions = <R, H = {}, S = {}>(
  options: SessionOptions<R, H, S>,
): Sessions<R, H, S> => {
  checkSessionOptions(options)
  const before = kept.get(options.name)
  if (before !== undefined && !before.sessions.draining.aborted) {
    before.newest = options as never
    return before.sessions as never
  }
  const current: { newest: SessionOptions<R, H, S> } = { newest: options }
  const sessions = createSessions({ ...options, open: (session: Opening) => current.newest.open(session) })
  kept.set(options.name, Object.assign(current, { sessions }) as never)
  return sessions
}
