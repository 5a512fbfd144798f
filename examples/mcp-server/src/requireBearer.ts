/**
 * The SDK's own check of `Authorization: Bearer`, over a list of tokens. Another verifier asks your authorization server,
 * or looks at a signed token. The subject that it has verified is what a session is bound to: the user, not the client,
 * as many users may have the same client.
 */
import { InvalidTokenError } from "@modelcontextprotocol/sdk/server/auth/errors.js"
import { requireBearerAuth } from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js"
import type { Request, RequestHandler } from "express"
import { createHash } from "node:crypto"

/** Looked up by its hash: how long that takes says nothing of how much of a token was right. */
const hashed = (token: string): string => createHash("sha256").update(token).digest("hex")

export const requireBearer = (users: ReadonlyMap<string, string>): RequestHandler => {
  const known = new Map([...users].map(([token, user]) => [hashed(token), user]))
  return requireBearerAuth({
    verifier: {
      verifyAccessToken: async (token) => {
        const user = known.get(hashed(token))
        if (user === undefined) throw new InvalidTokenError("unknown token")
        return { token, clientId: "any", scopes: [], expiresAt: Date.now() / 1000 + 3600, extra: { user } }
      },
    },
  })
}

export const userOf = (req: Request): string | undefined => {
  const user = req.auth?.extra?.["user"]
  return typeof user === "string" ? user : undefined
}
