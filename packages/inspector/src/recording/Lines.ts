/**
 * Lines in order, as the bytes they will be written as: so it is known what they take, nothing of what they are about is kept
 * alive, and the oldest go a block at a time.
 */
const blockBytes = 65_536
/** What is kept of a line beside its bytes: when it was, and where it ends. */
const besides = 16
const utf8 = new TextEncoder()

interface Block {
  bytes: Uint8Array<ArrayBuffer>
  used: number
  readonly times: Array<number>
  readonly ends: Array<number>
}
/** Some lines, as they will be written. */
export interface Part {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly lines: number
}

export class Lines {
  readonly #mostBytes: number
  #blocks: Array<Block> = []
  /** Lines that went before their time, for want of room. */
  overwritten = 0

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }
  get bytes(): number {
    return this.#blocks.reduce((sum, block) => sum + block.bytes.length + block.times.length * besides, 0)
  }
  get count(): number {
    return this.#blocks.reduce((sum, block) => sum + block.times.length, 0)
  }
  /** The time of the oldest that is kept. */
  get first(): number | undefined {
    return this.#blocks[0]?.times[0]
  }
  add(at: number, text: string): void {
    const line = `${text}\n`
    let block = this.#blocks.at(-1)
    // A UTF-16 unit takes three bytes at most.
    if (block === undefined || block.bytes.length - block.used < line.length * 3) {
      if (block !== undefined) block.bytes = block.bytes.slice(0, block.used)
      block = { bytes: new Uint8Array(Math.max(blockBytes, line.length * 3)), used: 0, times: [], ends: [] }
      this.#blocks.push(block)
    }
    block.used += utf8.encodeInto(line, block.bytes.subarray(block.used)).written
    block.times.push(at)
    block.ends.push(block.used)
  }
  /** Lets go of blocks that are all from before `from`, and of the oldest while there is no room for another block. */
  trim(from: number): void {
    while (this.#blocks.length > 1 && (this.#blocks[0]?.times.at(-1) ?? 0) < from) this.#blocks.shift()
    while (this.#blocks.length > 1 && this.bytes > this.#mostBytes)
      this.overwritten += this.#blocks.shift()?.times.length ?? 0
  }
  clear(): void {
    this.#blocks = []
    this.overwritten = 0
  }
  /** All from `from` on, as they are now: what is added later is not among them. Nothing is copied. */
  since(from: number): ReadonlyArray<Part> {
    return this.#blocks.flatMap(({ bytes, ends, times, used }) => {
      const skipped = times.findIndex((at) => at >= from)
      if (skipped === -1) return []
      const begin = skipped === 0 ? 0 : (ends[skipped - 1] ?? 0)
      return [{ bytes: bytes.subarray(begin, used), lines: times.length - skipped }]
    })
  }
}
