/** What goes wrong slowly, and what to do about it: one catalogue, and a watch that looks once a second. */
export {
  warningCatalogue,
  warningDefinitions,
  type ThresholdDefinition,
  type WarningDefinition,
  type WarningId,
  type WarningName,
  type WarningScope,
  type WarningSeverity,
} from "./warnings/catalogue.ts"
export type { ActiveWarning, Evidence } from "./warnings/ActiveWarning.ts"
export type { Mute, WarningChange } from "./warnings/Book.ts"
export { warningLine } from "./warnings/Log.ts"
export type { AllLimits, GivenThresholds, Limits } from "./warnings/thresholds.ts"
export {
  watchWarnings,
  type WarningCount,
  type WarningWatch,
  type WatchWarningsOptions,
} from "./warnings/watchWarnings.ts"
