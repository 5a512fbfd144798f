import type { Group } from "../Mutant.ts"
import { defects } from "./defects.ts"
import { drain } from "./drain.ts"
import { fence } from "./fence.ts"
import { heap } from "./heap.ts"
import { leaks } from "./leaks.ts"
import { leasesAndIdle } from "./leasesAndIdle.ts"
import { memory } from "./memory.ts"
import { openAndClose } from "./openAndClose.ts"
import { orderAndSlots } from "./orderAndSlots.ts"
import { outage } from "./outage.ts"
import { probes } from "./probes.ts"
import { quarantineAndTime } from "./quarantineAndTime.ts"
import { recycling } from "./recycling.ts"
import { reentry } from "./reentry.ts"
import { replay } from "./replay.ts"
import { saving } from "./saving.ts"
import { seats } from "./seats.ts"

/** One for each rule that somebody might leave out. Found in a model of the engine first, where each one broke a law. */
export const groups: ReadonlyArray<Group> = [
  orderAndSlots,
  openAndClose,
  fence,
  leasesAndIdle,
  seats,
  reentry,
  drain,
  quarantineAndTime,
  probes,
  recycling,
  replay,
  leaks,
  heap,
  outage,
  saving,
  memory,
  defects,
]
