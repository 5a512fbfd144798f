import type { LiveSession } from "@sojourn/core/inspect"
import type { Named } from "../names/Names.ts"
import type { ErrorText, SessionRow } from "../protocol/sessions.ts"
import { bounds } from "../protocol/words.ts"
import { cleaned, errorText, withoutKey, type Secret } from "../safety/text.ts"
import type { RowContext } from "./context.ts"

/** Undefined is left out when a row is written as JSON. */
export type Loose<T> = { readonly [K in keyof T]: T[K] | undefined }

export const errorOf = (
  { at, error, in: place }: NonNullable<LiveSession["lastError"]>,
  secret: Secret,
): ErrorText => ({ at, in: place, text: cleaned(withoutKey(errorText(error), secret), bounds.text) })

export const sessionRow = (
  kind: string,
  session: LiveSession,
  context: RowContext,
  named: Named = context.names.of(kind, session),
): Loose<SessionRow> => {
  const { key, lastError } = session
  return {
    row: `${kind}/${named.hash}`,
    kind,
    hash: named.hash,
    shown: named.shown,
    state: session.state,
    generation: session.generation,
    openedAt: session.openedAt,
    openingSince: session.openingSince,
    closingSince: session.closingSince,
    idleSince: session.idleSince,
    closesAt: session.closesAt,
    running: session.running,
    queued: session.queued,
    leases: session.leases,
    turns: session.turns,
    oldestTaskAt: session.oldestTaskAt,
    losses: session.losses,
    failedOpens: session.failedOpens,
    retryAt: session.retryAt,
    error: lastError === undefined ? undefined : errorOf(lastError, named),
    abandoned: session.abandoned,
    warnings: context.warnings.countOf(kind, key),
    pinned: context.isPinned(kind, key),
  }
}
