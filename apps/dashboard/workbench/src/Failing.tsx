import type { ReactNode } from "react"

/** A view that cannot be shown. */
export const Failing = (): ReactNode => {
  throw new Error("It was made to fail. <b>\u202Egnorw")
}
