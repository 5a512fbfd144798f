/** What is watched of the process as a whole. */
import { Judge, type Subject } from "./Judge.ts"
import type { Book, Tally } from "./Book.ts"
import { Lately } from "./Lately.ts"
import type { ProcessSource } from "./processReadings.ts"
import { RisingFloor } from "./RisingFloor.ts"
import {
  heapFloor,
  loopSaturated,
  loopStall,
  medianSeconds,
  resourcesRising,
  telemetryLossy,
} from "./rules/process.ts"
import { quarterOf, type Settings } from "./thresholds.ts"

/** Of all registries, ever. */
export interface Lost {
  /** Events that no listener was told of. */
  readonly dropped: number
  /** Tasks counted under the name of others. */
  readonly others: number
}

export class ProcessWatch implements Subject {
  held: Subject["held"] = undefined
  readonly #judge: Judge
  readonly #source: ProcessSource
  readonly #medians: Array<number> = []
  readonly #heap = new RisingFloor()
  readonly #resources = new RisingFloor()
  readonly #lossy = new Lately()

  constructor(book: Book, tally: Tally, settings: Settings, source: ProcessSource, lost: Lost) {
    this.#judge = new Judge(book, tally, settings)
    this.#source = source
    this.#lossy.begin([lost.dropped, lost.others])
  }
  ref(): undefined {
    return undefined
  }
  set settings(settings: Settings) {
    this.#judge.settings = settings
  }

  /** `late`: milliseconds after its time. */
  look({ dropped, others }: Lost, late: number): void {
    const judge = this.#judge
    const { limits } = judge.settings
    judge.look++
    const { heapUsed, median, resources, stall, utilization } = this.#source.read()
    if (median !== undefined) this.#medians.push(median)
    if (this.#medians.length > medianSeconds) this.#medians.shift()
    judge.take(this, "loop-stall", loopStall(stall, this.#medians, limits["loop-stall"]), () => ({
      stallMs: stall ?? 0,
      medianMs: median ?? 0,
    }))
    judge.take(this, "loop-saturated", loopSaturated(utilization, limits["loop-saturated"]), () => ({
      utilization: utilization ?? 0,
    }))
    this.#lookAtFloors(heapUsed, resources)
    const lossy = limits["telemetry-lossy"]
    const [newDropped = 0, newOthers = 0] = this.#lossy.look([dropped, others], quarterOf(lossy.window))
    const reading = { dropped: newDropped, others: newOthers, late }
    judge.take(this, "telemetry-lossy", telemetryLossy(reading, lossy), () => ({
      dropped: newDropped,
      others: newOthers,
      lateMs: late,
    }))
  }
  #lookAtFloors(heapUsed: number | undefined, resources: number | undefined): void {
    const { limits } = this.#judge.settings
    const heap = this.#heap
    const open = this.#resources
    if (heapUsed !== undefined) heap.add(heapUsed, quarterOf(limits["heap-floor"].window))
    if (resources !== undefined) open.add(resources, quarterOf(limits["resources-rising"].window))
    this.#judge.take(this, "heap-floor", heapFloor(heap, limits["heap-floor"]), () => ({
      used: heapUsed ?? 0,
      floor: heap.floor,
      before: heap.before,
    }))
    this.#judge.take(this, "resources-rising", resourcesRising(open, limits["resources-rising"]), () => ({
      resources: resources ?? 0,
      floor: open.floor,
      before: open.before,
    }))
  }
  end(): void {
    this.#judge.dropAll(this)
    this.#source[Symbol.dispose]()
  }
}
