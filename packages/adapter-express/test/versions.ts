/** Both versions of Express behind the types of one; that its own types fit as well is what types4.test.ts says. */
import express from "express"
import express4 from "express4"

export type Express = typeof express

/** `describe.each(versions)("$name", ({ express }) => …)` */
export const versions: ReadonlyArray<{ readonly name: string; readonly express: Express }> = [
  { name: "Express 5", express },
  { name: "Express 4", express: express4 as unknown as Express },
]
