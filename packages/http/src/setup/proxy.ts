import { foundInSetup, isSetupCheckOn } from "@sojourn/core/host"

/** Does the request come through a proxy the application has not been told of? */
export const checkProxy = (
  headers: { readonly [name: string]: unknown },
  trusted: () => boolean,
  how: string,
): void => {
  if (headers["x-forwarded-for"] === undefined && headers["x-forwarded-proto"] === undefined) return
  if (isSetupCheckOn("SOJOURN_TRUST_PROXY") && !trusted())
    foundInSetup(
      "SOJOURN_TRUST_PROXY",
      `A request has the header "x-forwarded-for" or "x-forwarded-proto". ${how}`,
    )
}
