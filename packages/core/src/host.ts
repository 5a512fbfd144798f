/** For who writes a host: what an adapter needs of core and an application does not. */
export {
  invalidOption,
  sessionMisuseReasons,
  sessionOpenFailedReasons,
  sessionRefusedReasons,
  taskStoppedReasons,
} from "./errors.ts"
export { checkSessionOptions } from "./face/createSessions.ts"
export {
  checkedFunction,
  checkedName,
  checkObject,
  milliseconds,
  resolveNames,
  wholeNumber,
} from "./options.ts"
export { liveRegistries, processDraining } from "./registry/process.ts"
export { keyHash } from "./keyHash.ts"
export { setupChecks, type SetupCode, type SetupFinding } from "./setup/checks.ts"
export { foundInSetup, isSetupCheckOn, setupFindings } from "./setup/findings.ts"
export { checkOneEffect } from "./setup/oneEffect.ts"
