import { expect } from "vitest"

/**
 * What an answer to an error of ours says: its status, tag and reason. Fails where it is not what `sessionErrors`
 * promises, or tells more: a key, a message, a stack or a cause.
 */
export const told = async (
  response: Response,
): Promise<readonly [status: number, tag: string, reason: string]> => {
  const text = await response.text()
  expect([response.headers.get("content-type"), text]).toEqual([
    "application/problem+json",
    expect.any(String),
  ])
  expect(response.headers.get("cache-control")).toBe("no-store")
  expect(response.headers.get("retry-after") ?? "0").toMatch(/^\d+$/)
  const problem = JSON.parse(text) as Told
  const { tag, reason } = problem.error
  expect(problem).toEqual({
    type: `urn:problem-type:sojourn:${reason.replace(/\B[A-Z]/g, (letter) => `-${letter}`).toLowerCase()}`,
    title: expect.stringMatching(/^[A-Z][^{}]{10,80}\.$/) as string,
    status: response.status,
    error: { tag, reason },
  })
  for (const [name, value] of response.headers) expect(`${name}: ${value}`).not.toMatch(secrets)
  expect(text).not.toMatch(secrets)
  return [response.status, tag, reason]
}

interface Told {
  readonly error: { readonly tag: string; readonly reason: string }
}

/** What tests call owners, ids and messages that no client may read, and what a stack looks like. */
const secrets = /alice|secret|node_modules|\.ts\b|\bat \w+ /i
