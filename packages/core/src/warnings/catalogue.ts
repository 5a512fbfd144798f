/**
 * Every warning there is, as data: what it means, when it is raised, what it rests on, what to do. The engine, the pages in
 * docs/warnings, metrics and dashboards all go by this one list; test/warnings-docs.test.ts holds it and the pages equal.
 *
 * `for` is how long it must have been so, in looks a second apart; a warning clears after three times that without it.
 */
export const warningCatalogue = {
  "tasks-accumulating": {
    id: "L01",
    name: "tasks-accumulating",
    scope: "session",
    severity: "warning",
    definition:
      "The fewest tasks a session had at once rose from each quarter of the last `window` to the next, to at least `floor`: more is handed in than ends.",
    thresholds: {
      window: { unit: "ms", default: 60_000, meaning: "Cut in four quarters, whose minima must rise." },
      floor: { unit: "count", default: 10, meaning: "The least that the last minimum must be." },
      for: { unit: "ms", default: 1_000, meaning: "How long it must have been so." },
    },
    evidence: {
      pending: "Tasks that wait or run.",
      floor: "The minimum of the last whole quarter.",
      before: "The minimum three quarters earlier.",
    },
    advice:
      "List the session's tasks by age: the oldest show what does not end. Give calls a `timeout`, or lower `maxQueued` so that callers are told early.",
    docs: "docs/warnings/tasks-accumulating.md",
  },
  "pending-high": {
    id: "L02",
    name: "pending-high",
    scope: "session",
    severity: "warning",
    definition:
      "A session has at least `pending` tasks that wait or run, or its queue is filled to `share` of a `maxQueued` of at least 10.",
    thresholds: {
      pending: {
        unit: "count",
        default: 100,
        meaning: "Tasks that wait or run. It clears below four fifths of it.",
      },
      share: {
        unit: "ratio",
        default: 0.8,
        meaning: "Of `maxQueued`. It clears below four fifths of it.",
      },
      for: { unit: "ms", default: 5_000, meaning: "How long it must have been so." },
    },
    evidence: {
      pending: "Tasks that wait or run.",
      queued: "Of these, those that wait.",
      maxQueued: "What the registry allows to wait.",
    },
    advice:
      "Find out what the first in line waits for. Spread the work over more keys, raise `concurrency` where the resource allows it, or refuse earlier with a lower `maxQueued`.",
    docs: "docs/warnings/pending-high.md",
  },
  "task-overdue": {
    id: "L03",
    name: "task-overdue",
    scope: "task",
    severity: "warning",
    definition:
      "A task has run for more than `age`, and for more than `times` the 95th percentile of its name once `samples` of that name have ended.",
    thresholds: {
      age: { unit: "ms", default: 30_000, meaning: "A shorter run is never overdue." },
      times: { unit: "count", default: 10, meaning: "So many times as long as 95 % of its peers." },
      samples: {
        unit: "count",
        default: 20,
        meaning:
          "So many of its name must have ended. With fewer, turns go by `age` alone, and of streams and background work nothing is said.",
      },
      for: { unit: "ms", default: 1_000, meaning: "How long it must have been so." },
    },
    evidence: {
      ageMs: "Since its start.",
      limitMs: "What it was held against.",
      usualMs: "The 95th percentile of its name; 0: not known.",
      samples: "Tasks of its name that have ended.",
    },
    advice:
      'Compare it with its peers: `explain` shows what it waits for. Cancel it if nobody needs it, give such calls a `timeout`, or declare long work with `silence: "Infinity"`.',
    docs: "docs/warnings/task-overdue.md",
  },
  "task-no-progress": {
    id: "L04",
    name: "task-no-progress",
    scope: "task",
    severity: "warning",
    definition:
      "Nothing of a running task was seen to go on for `silent`, and for `share` of the silence it is allowed, while it waits neither for a call of its own nor for a stream's consumer.",
    thresholds: {
      silent: {
        unit: "ms",
        default: 60_000,
        meaning: "Since its start, its last `progress`, or the last time its fibers went on.",
      },
      share: {
        unit: "ratio",
        default: 0.2,
        meaning: "Of its `silence`: who allows ten minutes of it is not warned after one.",
      },
      for: { unit: "ms", default: 2_000, meaning: "How long it must have been so." },
    },
    evidence: {
      silentMs: "Since its last sign of life.",
      silenceMs: "After so much of it, it is told to stop.",
      ageMs: "Since its start.",
    },
    advice:
      "Call `task.progress()` in long work, so that what hangs can be told from what is slow; or set `silence` for this call. What really hangs is stopped when its `silence` is over.",
    docs: "docs/warnings/task-no-progress.md",
  },
  "session-flapping": {
    id: "L05",
    name: "session-flapping",
    scope: "key",
    severity: "warning",
    definition:
      "A key was opened at least `openings` times within `window`, or its last three lives were shorter than `life` in the median, and nobody had asked for that.",
    thresholds: {
      openings: { unit: "count", default: 3, meaning: "Openings within `window`." },
      window: {
        unit: "ms",
        default: 60_000,
        meaning: "In which openings are counted; short lives, in five of it.",
      },
      life: { unit: "ms", default: 20_000, meaning: "The median of the last three lives." },
      for: { unit: "ms", default: 1_000, meaning: "How long it must have been so." },
    },
    evidence: {
      openings: "Within the window, after ends that nobody asked for.",
      medianLifeMs: "Of the last three lives; -1: there were fewer.",
    },
    advice:
      "Look at the history in `explain`: it says why each life ended. `Idle`: raise `idleTimeout`. `Evicted`: raise `maxSessions`. `Broken`: the resource does not last.",
    docs: "docs/warnings/session-flapping.md",
  },
  "recreate-loop": {
    id: "L06",
    name: "recreate-loop",
    scope: "key",
    severity: "error",
    definition:
      "The last `lives` openings of a key all failed, or gave a resource that was lost within `life`.",
    thresholds: {
      lives: { unit: "count", default: 3, meaning: "So many in a row." },
      life: { unit: "ms", default: 5_000, meaning: "From ready to lost." },
      stable: { unit: "ms", default: 60_000, meaning: "It clears once a resource has lived that long." },
      window: { unit: "ms", default: 300_000, meaning: "What is longer ago does not count." },
      for: { unit: "ms", default: 1_000, meaning: "How long it must have been so." },
    },
    evidence: {
      failed: "Of the last lives, those that did not open.",
      lost: "And those that were lost right after.",
    },
    advice:
      "The last error in `explain` is the cause. Fix what `open` needs; `restart` of the key lifts a quarantine afterwards.",
    docs: "docs/warnings/recreate-loop.md",
  },
  "slow-creation": {
    id: "L07",
    name: "slow-creation",
    scope: "session",
    severity: "warning",
    definition:
      "An opening has taken more than `age`, and more than `times` the 95th percentile of its kind once `samples` have succeeded.",
    thresholds: {
      age: { unit: "ms", default: 5_000, meaning: "A shorter opening is never slow." },
      times: { unit: "count", default: 3, meaning: "So many times as long as 95 % of them." },
      samples: { unit: "count", default: 20, meaning: "With fewer, `age` alone counts." },
      for: { unit: "ms", default: 1_000, meaning: "How long it must have been so." },
    },
    evidence: {
      elapsedMs: "Since the opening began.",
      limitMs: "What it was held against.",
      usualMs: "The 95th percentile of the kind; 0: not known.",
      waiters: "Who waits for it.",
    },
    advice:
      "Find the slow step in `open`. Everyone who uses the key waits for it; at `timeouts.open` they are all told that it failed.",
    docs: "docs/warnings/slow-creation.md",
  },
  "creation-stampede": {
    id: "L08",
    name: "creation-stampede",
    scope: "key",
    severity: "warning",
    definition: "At least `waiters` calls wait for one session that is not open yet.",
    thresholds: {
      waiters: { unit: "count", default: 20, meaning: "Calls that wait. It clears below half of it." },
      for: { unit: "ms", default: 1_000, meaning: "How long it must have been so." },
    },
    evidence: {
      waiters: "Calls that wait for the opening.",
      elapsedMs: "Since it began; -1: it has not begun.",
    },
    advice:
      "They share one opening, and are all told if it fails. Open such keys before the rush, or let fewer in: a lower `maxQueued`, a rate limit.",
    docs: "docs/warnings/creation-stampede.md",
  },
  "queue-wait": {
    id: "L10",
    name: "queue-wait",
    scope: "kind",
    severity: "warning",
    definition:
      "Of the tasks of a kind that ended within `window`, 5 % had waited longer than `wait`, and longer than `times` the 95th percentile of the runs.",
    thresholds: {
      window: { unit: "ms", default: 60_000, meaning: "Tasks that ended in it are looked at." },
      wait: { unit: "ms", default: 1_000, meaning: "A shorter wait is no warning." },
      times: { unit: "count", default: 2, meaning: "So many times as long as the runs themselves." },
      samples: { unit: "count", default: 50, meaning: "With fewer tasks nothing is said." },
      for: { unit: "ms", default: 1_000, meaning: "How long it must have been so." },
    },
    evidence: {
      waitMs: "The 95th percentile of the waits, from hand-in to start.",
      runMs: "The 95th percentile of the runs.",
      samples: "Tasks that ended in the window.",
    },
    advice:
      'Turns wait in line for longer than they run. Raise `concurrency` where the resource allows it, use more keys, or let reads run beside the turns with `whenBusy: "overlap"`.',
    docs: "docs/warnings/queue-wait.md",
  },
  "idle-not-evicted": {
    id: "L11",
    name: "idle-not-evicted",
    scope: "kind",
    severity: "warning",
    definition: "A session has been idle for more than `times` its `idleTimeout` and is still open.",
    thresholds: {
      times: { unit: "count", default: 2, meaning: "So many times `idleTimeout`." },
      for: { unit: "ms", default: 2_000, meaning: "How long it must have been so." },
    },
    evidence: {
      idleMs: "Of the session that has been idle longest.",
      idleTimeoutMs: "What the registry allows.",
      idle: "Sessions that are idle.",
    },
    advice:
      "Closing does not keep up: finalizers that work synchronously hold up all that are to be closed after them. Make them asynchronous, or shorter.",
    docs: "docs/warnings/idle-not-evicted.md",
  },
  "lease-leak": {
    id: "L12",
    name: "lease-leak",
    scope: "session",
    severity: "warning",
    definition:
      "A session is held by a lease and nothing else, and the lease has given no sign of life for `quiet` and for `share` of the silence it is allowed.",
    thresholds: {
      quiet: {
        unit: "ms",
        default: 60_000,
        meaning: "Without a task in the session, and without a sign of life.",
      },
      share: { unit: "ratio", default: 0.5, meaning: "Of the lease's `silence`, 1 hour unless set." },
      for: { unit: "ms", default: 1_000, meaning: "How long it must have been so." },
    },
    evidence: {
      leases: "Leases on the session.",
      quietMs: "Since the last sign of life of the one that has been silent longest.",
      silenceMs: "After so much of it the lease ends by itself.",
    },
    advice:
      'Release the lease where its holder goes: `await using`, a socket\'s close handler. For holders that rightly say nothing, take it with `silence: "Infinity"`.',
    docs: "docs/warnings/lease-leak.md",
  },
  "orphan-task": {
    id: "L13",
    name: "orphan-task",
    scope: "kind",
    severity: "error",
    definition:
      "Work that was abandoned is still running: a task that would not end, or something of a session that had not ended at its close deadline.",
    thresholds: {
      for: { unit: "ms", default: 2_000, meaning: "How long it must have been so." },
    },
    evidence: {
      tasks: "Abandoned tasks that have not ended.",
      generations: "Abandoned generations that have not ended.",
    },
    advice:
      "Make the work heed its `signal`, and finalizers end. Until then it may use what its session has given back; at `maxLeaked` nothing is opened any more.",
    docs: "docs/warnings/orphan-task.md",
  },
  uninterruptible: {
    id: "L14",
    name: "uninterruptible",
    scope: "task",
    severity: "warning",
    definition: "A task was told to stop more than `told` ago and has not ended.",
    thresholds: {
      told: { unit: "ms", default: 5_000, meaning: "Since it was told to stop." },
      for: { unit: "ms", default: 1_000, meaning: "How long it must have been so." },
    },
    evidence: { toldMs: "Since it was told to stop.", ageMs: "Since its start." },
    advice:
      "Hand `task.signal` on to what it waits for, or look at it between steps; in Effect, keep uninterruptible regions short. It holds its slot until somebody needs that.",
    docs: "docs/warnings/uninterruptible.md",
  },
  "unobserved-failure": {
    id: "L15",
    name: "unobserved-failure",
    scope: "kind",
    severity: "warning",
    definition:
      "At least `failures` background tasks failed within `window`: nobody waits for their outcome.",
    thresholds: {
      failures: { unit: "count", default: 1, meaning: "Background tasks that failed." },
      window: { unit: "ms", default: 300_000, meaning: "In which they are counted." },
      for: { unit: "ms", default: 1_000, meaning: "How long it must have been so." },
    },
    evidence: { failures: "Within the window.", total: "Since the registry was made." },
    advice:
      "Their errors are in the `TaskEnded` events, and in `explain` of the session. Catch what may fail in the background, where it can be dealt with.",
    docs: "docs/warnings/unobserved-failure.md",
  },
  "fan-out": {
    id: "L16",
    name: "fan-out",
    scope: "session",
    severity: "notice",
    definition: "A session has more than `tasks` tasks more than a second ago.",
    thresholds: {
      tasks: {
        unit: "count",
        default: 100,
        meaning: "So many more that wait or run, from one look to the next.",
      },
      for: { unit: "ms", default: 1_000, meaning: "How long it must have been so." },
    },
    evidence: { grown: "More than a second ago.", pending: "Tasks that wait or run." },
    advice:
      "Look for a loop that starts background work or calls without waiting for them. Do it in batches, or in one turn.",
    docs: "docs/warnings/fan-out.md",
  },
  unhealthy: {
    id: "L17",
    name: "unhealthy",
    scope: "session",
    severity: "error",
    definition:
      "Of at least `samples` tasks of a session that ended within `window`, more than `share` failed with an error of their own, or its resource was lost `losses` times within `restart.within`.",
    thresholds: {
      share: { unit: "ratio", default: 0.5, meaning: "Of the tasks that ended." },
      samples: { unit: "count", default: 10, meaning: "With fewer tasks only losses count." },
      window: {
        unit: "ms",
        default: 60_000,
        meaning: "In which tasks are counted, from the first failure on.",
      },
      losses: { unit: "count", default: 3, meaning: "Failed probes are losses too." },
      for: { unit: "ms", default: 1_000, meaning: "How long it must have been so." },
    },
    evidence: {
      failed: "Tasks that failed.",
      ended: "Tasks that ended.",
      losses: "Generations lost within `restart.within`.",
    },
    advice:
      "Look at the last errors in `explain`. Where the resource is to blame, let its errors say so with `broken`, or give it a `probe`; `restart` replaces it now.",
    docs: "docs/warnings/unhealthy.md",
  },
  "close-slow": {
    id: "L18",
    name: "close-slow",
    scope: "session",
    severity: "warning",
    definition:
      "A session has been closing for longer than `share` of what `grace` and `close` allow, or than `age` where these have no end.",
    thresholds: {
      share: {
        unit: "ratio",
        default: 0.5,
        meaning: "Of `timeouts.grace` and `timeouts.close`: 10 s of the usual 20 s.",
      },
      age: { unit: "ms", default: 10_000, meaning: "Where they are infinite." },
      for: { unit: "ms", default: 1_000, meaning: "How long it must have been so." },
    },
    evidence: {
      closingMs: "Since it began to close.",
      allowedMs: "`grace` and `close`; -1: without an end.",
    },
    advice:
      "See whether its tasks heed their signal, and which finalizer hangs. At the deadline it is abandoned and counted as leaked.",
    docs: "docs/warnings/close-slow.md",
  },
  "reuse-low": {
    id: "L19",
    name: "reuse-low",
    scope: "kind",
    severity: "warning",
    definition:
      "Of at least `samples` uses of a kind within `window`, less than `share` found their session open or opening.",
    thresholds: {
      share: { unit: "ratio", default: 0.5, meaning: "Of the uses." },
      samples: { unit: "count", default: 100, meaning: "With fewer uses nothing is said." },
      window: { unit: "ms", default: 300_000, meaning: "In which they are counted." },
      for: { unit: "ms", default: 60_000, meaning: "How long it must have been so: a start opens much." },
    },
    evidence: {
      uses: "Within the window.",
      reused: "Of these, those that needed no opening of their own.",
      share: "The one by the other.",
    },
    advice:
      "Keeping sessions saves little here. Raise `idleTimeout` or `maxSessions` if they are closed too early; look at the key if each use brings another.",
    docs: "docs/warnings/reuse-low.md",
  },
  "loop-stall": {
    id: "L20",
    name: "loop-stall",
    scope: "process",
    severity: "warning",
    definition:
      "The event loop stood still for at least `stall` within a second, or was late by `median` in the median of each of the last 10 seconds.",
    thresholds: {
      stall: { unit: "ms", default: 100, meaning: "The longest stall of a second." },
      median: { unit: "ms", default: 10, meaning: "The median of a second, ten times in a row." },
      for: { unit: "ms", default: 1_000, meaning: "How long it must have been so." },
    },
    evidence: { stallMs: "The longest stall of the last second.", medianMs: "Its median delay." },
    advice:
      "Something works synchronously for too long: take a CPU profile. Cut it in pieces, or move it to a worker thread.",
    docs: "docs/warnings/loop-stall.md",
  },
  "loop-saturated": {
    id: "L21",
    name: "loop-saturated",
    scope: "process",
    severity: "error",
    definition: "The event loop was busy for `share` of the time or more.",
    thresholds: {
      share: { unit: "ratio", default: 0.95, meaning: "Of a second. It clears below nine tenths of it." },
      for: { unit: "ms", default: 10_000, meaning: "How long it must have been so." },
    },
    evidence: { utilization: "Of the last second, 0 to 1." },
    advice:
      "The process cannot do more. Add processes, admit less (`maxSessions`, `maxQueued`), or move work off the loop.",
    docs: "docs/warnings/loop-saturated.md",
  },
  "heap-floor": {
    id: "L24",
    name: "heap-floor",
    scope: "process",
    severity: "error",
    definition:
      "The least of the heap that was in use rose from each quarter of the last `window` to the next, to more than `share` of its limit.",
    thresholds: {
      window: {
        unit: "ms",
        default: 2_400_000,
        meaning: "Cut in four quarters: their minima are what collections leave.",
      },
      share: { unit: "ratio", default: 0.7, meaning: "Of what V8 lets the old generation have." },
      for: { unit: "ms", default: 1_000, meaning: "How long it must have been so." },
    },
    evidence: {
      used: "The share of the heap in use now.",
      floor: "The minimum of the last whole quarter.",
      before: "The minimum three quarters earlier.",
    },
    advice:
      "Compare two heap snapshots. Until the leak is found, `maxHeap` closes idle sessions before the process dies.",
    docs: "docs/warnings/heap-floor.md",
  },
  capacity: {
    id: "L25",
    name: "capacity",
    scope: "kind",
    severity: "warning",
    definition:
      "Sessions that are not idle hold at least `share` of `maxSessions`, or within the last minute at least `refusals` calls were refused for want of a place.",
    thresholds: {
      share: {
        unit: "ratio",
        default: 0.9,
        meaning: "Of `maxSessions`; idle ones make room. It clears below nine tenths of it.",
      },
      refusals: {
        unit: "count",
        default: 1,
        meaning: "`MaxSessions`, `MaxPerOwner`, `MaxHeap`, `MaxLeaked`; these count at once.",
      },
      for: { unit: "ms", default: 10_000, meaning: "How long the share must have been reached." },
    },
    evidence: {
      held: "Sessions with a place that are not idle.",
      idle: "Sessions that could make room.",
      maxSessions: "-1: without a limit.",
      refused: "Within the last minute.",
    },
    advice:
      "Raise `maxSessions` if memory allows it, shorten what holds sessions (turns, leases), or add processes.",
    docs: "docs/warnings/capacity.md",
  },
  "resources-rising": {
    id: "L26",
    name: "resources-rising",
    scope: "process",
    severity: "warning",
    definition:
      "The fewest active resources of the process (sockets, timers, files) rose from each quarter of the last `window` to the next, by `rise` in all.",
    thresholds: {
      window: { unit: "ms", default: 600_000, meaning: "Cut in four quarters, whose minima must rise." },
      rise: { unit: "count", default: 100, meaning: "From the first minimum to the last." },
      for: { unit: "ms", default: 1_000, meaning: "How long it must have been so." },
    },
    evidence: {
      resources: "Now.",
      floor: "The minimum of the last whole quarter.",
      before: "The minimum three quarters earlier.",
    },
    advice:
      "Count `process.getActiveResourcesInfo()` by type. What `open` acquires is released with `use` or `onClose`.",
    docs: "docs/warnings/resources-rising.md",
  },
  "drain-stuck": {
    id: "L27",
    name: "drain-stuck",
    scope: "kind",
    severity: "error",
    definition:
      "A drain has used more than `share` of `finishWithin`, `grace` and `close` together, and sessions remain.",
    thresholds: {
      share: { unit: "ratio", default: 0.8, meaning: "Of the time that the drain may take." },
      for: { unit: "ms", default: 1_000, meaning: "How long it must have been so." },
    },
    evidence: {
      elapsedMs: "Since the drain began.",
      allowedMs: "What it may take.",
      sessions: "That have not ended.",
      running: "Tasks that still run.",
    },
    advice:
      "`snapshot` lists what remains. Calling `drain({ finishWithin: 0 })` stops running turns now; what hangs is abandoned at its deadline.",
    docs: "docs/warnings/drain-stuck.md",
  },
  "key-suspect": {
    id: "L29",
    name: "key-suspect",
    scope: "kind",
    severity: "warning",
    definition:
      "Of at least `samples` uses of a kind within `window`, more than `share` had to open a session, and more than `share` of the keys that came were new ones.",
    thresholds: {
      share: { unit: "ratio", default: 0.9, meaning: "Of the uses, and of the keys." },
      samples: { unit: "count", default: 200, meaning: "With fewer uses nothing is said." },
      window: { unit: "ms", default: 300_000, meaning: "In which they are counted." },
      for: { unit: "ms", default: 60_000, meaning: "How long it must have been so: a start opens much." },
    },
    evidence: {
      uses: "Within the window.",
      opened: "Of these, those that had to open a session.",
      keys: "Sessions that opened and were seen, since most uses open one.",
      distinct: "Keys among them that differ.",
    },
    advice:
      "The key seems to hold something of the request: an id of its own, a time, a random part. Make it of who asks and what for.",
    docs: "docs/warnings/key-suspect.md",
  },
  "telemetry-lossy": {
    id: "L30",
    name: "telemetry-lossy",
    scope: "process",
    severity: "notice",
    definition:
      "Within `window`, events were dropped because a listener was slow, or tasks were counted as `other` because a kind has too many names; or this watch looked later than `late`.",
    thresholds: {
      dropped: { unit: "count", default: 1, meaning: "Events that no listener was told of." },
      others: { unit: "count", default: 1, meaning: "Tasks counted under the name `other`." },
      late: { unit: "ms", default: 2_000, meaning: "After its second." },
      window: { unit: "ms", default: 60_000, meaning: "In which they are counted." },
      for: { unit: "ms", default: 1_000, meaning: "How long it must have been so." },
    },
    evidence: {
      dropped: "Events, of all kinds.",
      others: "Tasks, of all kinds.",
      lateMs: "Of the last look.",
    },
    advice:
      "Make listeners of `subscribe` faster, or let them hand on. Give tasks names from a small vocabulary, without ids.",
    docs: "docs/warnings/telemetry-lossy.md",
  },
} as const

export type WarningName = keyof typeof warningCatalogue
export type WarningId = (typeof warningCatalogue)[WarningName]["id"]
export type WarningScope = "task" | "session" | "key" | "kind" | "process"
/** `notice`: worth a look; `warning`: will hurt; `error`: hurts. */
export type WarningSeverity = "notice" | "warning" | "error"

export interface ThresholdDefinition {
  readonly unit: "ms" | "count" | "ratio"
  readonly default: number
  readonly meaning: string
}
/** One entry of the catalogue. */
export interface WarningDefinition {
  readonly id: WarningId
  readonly name: WarningName
  readonly scope: WarningScope
  readonly severity: WarningSeverity
  /** In one sentence; words in backquotes are thresholds and options. */
  readonly definition: string
  readonly thresholds: Readonly<Record<string, ThresholdDefinition>>
  /** Its numbers, and what each of them is. */
  readonly evidence: Readonly<Record<string, string>>
  readonly advice: string
  /** Path of its page in the repository. */
  readonly docs: string
}

/** In the order of their ids. */
export const warningDefinitions: ReadonlyArray<WarningDefinition> = Object.values(warningCatalogue)
