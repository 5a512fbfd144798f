/** Why a generation ended. One reason each, fixed when its closing begins. */
export const closeReasons = [
  "Idle",
  "Evicted",
  "Recycled",
  "Requested",
  "Restarted",
  "Ended",
  "Drained",
  "Broken",
  "RestartLimit",
  "OpenFailed",
  "OpenCancelled",
  "Unresponsive",
] as const
export type CloseReason = (typeof closeReasons)[number]
