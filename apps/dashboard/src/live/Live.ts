/**
 * What a view shows of a source of frames: the state that they add up to, how old it is, and what was missed. It connects
 * while it is watched, not paused and the page is seen; it begins anew after a connection was lost. However many frames
 * arrive, those who watch are told once in an animation frame.
 */
import { Store, type Readable } from "../state/Store.ts"
import type { Frame, FrameSource } from "./Source.ts"

export type LiveStatus =
  /** The first frame has not come. */
  | "connecting"
  | "live"
  /** The connection is lost, or nothing came for a while. */
  | "lost"
  | "paused"
  /** Nobody sees the page. */
  | "hidden"
  /** It was refused, and is not tried again by itself. */
  | "refused"

/** A time that nothing is known of, by the server's clock. */
export interface Gap {
  readonly from: number
  readonly to: number
  readonly why: "paused" | "hidden" | "lost"
}

export interface LiveView<State> {
  readonly state: State
  readonly status: LiveStatus
  /** The time of the newest frame by the server's clock, and by ours when it came. Undefined before the first one. */
  readonly t: number | undefined
  readonly receivedAt: number | undefined
  /** What the server's clock is ahead of ours, as far as the quickest frame tells. Milliseconds. */
  readonly ahead: number
  readonly seq: number | undefined
  /** Events that this viewer was not told, over all its connections. */
  readonly dropped: number
  /** The last 20 times that nothing is known of, oldest first. */
  readonly gaps: ReadonlyArray<Gap>
  /** How many frames came. */
  readonly frames: number
  /** What the connection was last lost or refused with. */
  readonly error: unknown
  /** When the next attempt is made, by our clock. */
  readonly retryAt: number | undefined
}

/** What it needs of its surroundings; a test gives its own. */
export interface LiveHost {
  readonly now: () => number
  /** Calls back before the next picture is drawn; gives what calls it off. */
  readonly beforePaint: (run: () => void) => () => void
  readonly after: (ms: number, run: () => void) => () => void
  readonly random: () => number
  /** Whether somebody sees the page. */
  readonly seen: Readable<boolean>
}

export interface LiveOptions<State, Delta> {
  readonly source: FrameSource<Delta>
  readonly empty: State
  /** Gives another object only where something is different: who watches a part is told only of that. */
  readonly apply: (state: State, frame: Frame<Delta>) => State
  /** Milliseconds without a frame after which the connection is given up, 15 000. */
  readonly silenceMs?: number | undefined
}

const keptGaps = 20
const backOff = { leastMs: 500, mostMs: 15_000 }

export class Live<State, Delta> implements Readable<LiveView<State>>, Disposable {
  readonly #options: LiveOptions<State, Delta>
  readonly #host: LiveHost
  readonly #told: Store<LiveView<State>>
  #next: LiveView<State>
  #unpaint: (() => void) | undefined
  #connection: AbortController | undefined
  #source: FrameSource<Delta>
  #unwait: (() => void) | undefined
  #unsilence: (() => void) | undefined
  #unseen: (() => void) | undefined
  #attempts = 0
  #paused = false
  #watchers = 0
  #disposed = false
  /** Events dropped on connections before this one, and on this one. */
  #droppedBefore = 0
  #droppedHere = 0
  /** Why nothing came since the last frame. */
  #missing: Gap["why"] | undefined

  constructor(options: LiveOptions<State, Delta>, host: LiveHost) {
    this.#options = options
    this.#host = host
    this.#source = options.source
    this.#next = {
      state: options.empty,
      status: "connecting",
      t: undefined,
      receivedAt: undefined,
      ahead: 0,
      seq: undefined,
      dropped: 0,
      gaps: [],
      frames: 0,
      error: undefined,
      retryAt: undefined,
    }
    this.#told = new Store(this.#next)
  }

  readonly get = (): LiveView<State> => this.#told.get()

  /** The first who watches connects it; it is disconnected when the last one goes. */
  readonly subscribe = (listener: () => void): (() => void) => {
    const unsubscribe = this.#told.subscribe(listener)
    this.#watchers += 1
    if (this.#watchers === 1) {
      this.#unseen = this.#host.seen.subscribe(() => this.#settle())
      this.#settle()
    }
    let done = false
    return () => {
      if (done) return
      done = true
      unsubscribe()
      this.#watchers -= 1
      if (this.#watchers === 0) {
        this.#unseen?.()
        this.#settle()
      }
    }
  }

  get paused(): boolean {
    return this.#paused
  }

  pause(): void {
    this.#paused = true
    this.#settle()
  }

  resume(): void {
    this.#paused = false
    this.#settle()
  }

  /** Now, instead of when the back-off is over; also after a refusal. */
  retry(): void {
    if (this.#next.status !== "lost" && this.#next.status !== "refused") return
    this.#attempts = 0
    this.#disconnect()
    this.#change({ status: "lost" })
    this.#settle()
  }

  /** Another question to the same server, such as other filters: what is known is kept until its first frame. */
  replace(source: FrameSource<Delta>): void {
    if (source === this.#source) return
    this.#source = source
    this.#attempts = 0
    this.#disconnect()
    this.#change({ seq: undefined, ...(this.#next.status === "refused" ? { status: "connecting" } : {}) })
    this.#settle()
  }

  [Symbol.dispose](): void {
    this.#disposed = true
    this.#disconnect()
    this.#unseen?.()
    this.#unpaint?.()
  }

  /** Brings the connection to what it should be. */
  #settle(): void {
    const idle = this.#disposed || this.#watchers === 0
    const why = this.#paused ? "paused" : this.#host.seen.get() ? undefined : "hidden"
    if (idle || why !== undefined) {
      this.#disconnect()
      this.#missing ??= why ?? "hidden"
      if (why !== undefined) this.#change({ status: why, retryAt: undefined })
      return
    }
    if (this.#connection !== undefined || this.#unwait !== undefined || this.#next.status === "refused")
      return
    void this.#connect()
  }

  #disconnect(): void {
    this.#connection?.abort()
    this.#connection = undefined
    this.#unwait?.()
    this.#unwait = undefined
    this.#unsilence?.()
    this.#unsilence = undefined
    this.#droppedBefore += this.#droppedHere
    this.#droppedHere = 0
  }

  async #connect(): Promise<void> {
    const connection = new AbortController()
    this.#connection = connection
    const { status } = this.#next
    if (status === "paused" || status === "hidden")
      this.#change({ status: this.#next.t === undefined ? "connecting" : "lost", retryAt: undefined })
    else this.#change({ retryAt: undefined })
    this.#listenForSilence(connection)
    let error: unknown
    try {
      for await (const frame of this.#source.frames({ after: this.#next.seq, signal: connection.signal })) {
        if (this.#connection !== connection) return
        this.#listenForSilence(connection)
        this.#take(frame)
      }
      error = new Error("The server has ended the connection.")
    } catch (caught) {
      error = caught
    }
    if (this.#connection === connection) this.#lose(error)
  }

  #listenForSilence(connection: AbortController): void {
    this.#unsilence?.()
    const silenceMs = this.#options.silenceMs ?? 15_000
    this.#unsilence = this.#host.after(silenceMs, () => {
      if (this.#connection === connection) this.#lose(new Error(`Nothing came for ${silenceMs / 1000} s.`))
    })
  }

  #lose(error: unknown): void {
    this.#disconnect()
    this.#missing ??= "lost"
    if (this.#source.isFinal?.(error) === true) {
      this.#change({ status: "refused", error, retryAt: undefined })
      return
    }
    const most = Math.min(backOff.mostMs, backOff.leastMs * 2 ** this.#attempts)
    this.#attempts += 1
    const wait = most / 2 + (most / 2) * this.#host.random()
    this.#unwait = this.#host.after(wait, () => {
      this.#unwait = undefined
      this.#settle()
    })
    this.#change({ status: "lost", error, retryAt: this.#host.now() + wait })
  }

  #take(frame: Frame<Delta>): void {
    const now = this.#host.now()
    const before = this.#next
    const ahead = frame.t - now
    const gap: ReadonlyArray<Gap> =
      this.#missing !== undefined && before.t !== undefined && frame.t > before.t
        ? [{ from: before.t, to: frame.t, why: this.#missing }]
        : []
    this.#missing = undefined
    this.#attempts = 0
    this.#droppedHere = frame.dropped
    this.#change({
      state: this.#options.apply(before.state, frame),
      status: "live",
      t: frame.t,
      receivedAt: now,
      // The quickest frame was at least this late; a clock that was set shows as a jump of more than a minute.
      ahead:
        before.t === undefined || Math.abs(ahead - before.ahead) > 60_000
          ? ahead
          : Math.max(before.ahead, ahead),
      seq: frame.seq,
      dropped: this.#droppedBefore + this.#droppedHere,
      gaps: gap.length === 0 ? before.gaps : [...before.gaps, ...gap].slice(-keptGaps),
      frames: before.frames + 1,
      error: undefined,
      retryAt: undefined,
    })
  }

  #change(change: Partial<LiveView<State>>): void {
    this.#next = { ...this.#next, ...change }
    this.#unpaint ??= this.#host.beforePaint(() => {
      this.#unpaint = undefined
      this.#told.set(this.#next)
    })
  }
}

/** How old what is shown is: milliseconds since the server looked, the way here included as far as it can be known. */
export const dataAge = (
  { t, ahead }: Pick<LiveView<unknown>, "t" | "ahead">,
  now: number,
): number | undefined => (t === undefined ? undefined : Math.max(0, now + ahead - t))
