/** All from the environment: `TOKENS=<token>=<user>,…` says who may come in. */
const number = (name: string, usual: number): number => {
  const value = Number(process.env[name] ?? usual)
  if (!Number.isInteger(value) || value < 0) throw new Error(`${name}: a whole number is needed.`)
  return value
}

export const port: number = number("PORT", 3000)
/** Milliseconds after which a client that keeps no connection has to introduce itself again. */
export const idleTimeout: number = number("IDLE_TIMEOUT", 30 * 60_000)
export const maxPerOwner: number = number("MAX_PER_OWNER", 20)
export const users: ReadonlyMap<string, string> = new Map(
  (process.env["TOKENS"] ?? "")
    .split(",")
    .filter((entry) => entry !== "")
    .map((entry): [token: string, user: string] => {
      const [token = "", user = "", ...more] = entry.split("=")
      if (token.length < 16 || user === "" || more.length > 0)
        throw new Error("TOKENS: <token>=<user>,… is needed, each token at least 16 characters long.")
      return [token, user]
    }),
)
if (users.size === 0) throw new Error("TOKENS: nobody could come in. Say TOKENS=<token>=<user>,…")
