import { expect } from "vitest"
import type { App } from "../App.ts"
import { as, type Counter } from "../fixture.ts"

/** What a counter route answers, asked by an owner who is let in. */
export const answer = async (app: App, path: string, owner: string): Promise<Counter> => {
  const response = await app.request(path, { headers: as(owner) })
  const text = await response.text()
  expect([response.status, text]).toEqual([200, expect.stringMatching(/^\{/)])
  return JSON.parse(text) as Counter
}
