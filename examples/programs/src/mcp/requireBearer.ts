/**
 * Stands for your authorization server: the SDK's own middleware sets `req.auth` for a token that it verifies. Here a
 * client belongs to one user; where many users share one, the owner of a session is the user (`req.auth.extra`).
 */
import { InvalidTokenError } from "@modelcontextprotocol/sdk/server/auth/errors.js"
import { requireBearerAuth } from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js"

const clients: ReadonlyMap<string, string> = new Map([
  ["token-of-alice", "alice"],
  ["token-of-bob", "bob"],
])

export const requireBearer = requireBearerAuth({
  verifier: {
    verifyAccessToken: async (token) => {
      const clientId = clients.get(token)
      if (clientId === undefined) throw new InvalidTokenError("unknown token")
      return { token, clientId, scopes: [], expiresAt: Date.now() / 1000 + 3600 }
    },
  },
})
