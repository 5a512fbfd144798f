/** How much a state holds, before it is copied or written. It reads the state and keeps nothing. */

/** Levels of nesting. Node writes a few thousand and can read back about half of that: what is saved must be readable. */
const deepest = 500

/**
 * What a store can give back as it was. Node's serializer takes any other object too, and gives back an empty one. Plain
 * objects, arrays and bytes are asked for apart.
 */
const kept = [Map, Set, Date, RegExp, Error]

/** `Map` of `[object Map]`. */
export const kindOf = (value: object): string => Object.prototype.toString.call(value).slice(8, -1)

/** One word of the machine: a number, a reference, what an object has beside its content. */
const word = 8

/**
 * A rough size in bytes of a structured-cloneable value: 8 for each value and reference, 2 for each character of text, the
 * length of buffers. What is referred to twice counts once, so cycles are no trouble. Once it is over `limit` it stops
 * counting and gives some size over `limit`.
 *
 * `buffers`: a byte array counts with the `"whole"` buffer it is a view of, which is what `structuredClone` copies, or only
 * with its `"own"` bytes, which is what serializers write.
 *
 * @throws TypeError for what cannot be saved: functions, symbols, and objects other than plain ones and instances of the
 * common built-in classes. RangeError for nesting of more than 500 levels.
 */
export const sizeOf = (value: unknown, limit = Infinity, buffers: "whole" | "own" = "own"): number => {
  const walk = new Walk(limit, buffers)
  walk.count(value)
  while (walk.size <= limit && walk.step());
  return walk.size
}

class Walk {
  size = 0
  readonly #limit: number
  readonly #buffers: "whole" | "own"
  readonly #seen = new Set<object>()
  /** What is still to be counted of each object on the way down, so that deep nesting needs no stack of calls. */
  readonly #path: Array<Iterator<unknown>> = []

  constructor(limit: number, buffers: "whole" | "own") {
    this.#limit = limit
    this.#buffers = buffers
  }

  /** False: nothing is left. */
  step(): boolean {
    const next = this.#path.at(-1)?.next()
    if (next === undefined) return false
    if (next.done === true) this.#path.pop()
    else this.count(next.value)
    return true
  }

  count(part: unknown): void {
    this.size += word
    if (typeof part === "string") this.size += 2 * part.length
    else if (typeof part === "bigint") this.size += bytesOf(part, this.#limit)
    else if (typeof part === "function" || typeof part === "symbol") throw cannotBeSaved(`a ${typeof part}`)
    else if (typeof part === "object" && part !== null && !this.#seen.has(part)) {
      this.#seen.add(part)
      const content = this.#contentOf(part)
      if (content === undefined) return
      if (this.#path.length === deepest)
        throw new RangeError(`The state is nested more than ${deepest} levels deep. Save a flatter one.`)
      this.#path.push(content)
    }
  }

  #contentOf(object: object): Iterator<unknown> | undefined {
    if (ArrayBuffer.isView(object)) {
      const { buffer } = object
      if (!(buffer instanceof ArrayBuffer)) throw cannotBeSaved(`a ${kindOf(buffer)}`)
      if (this.#buffers === "own") this.size += object.byteLength
      else if (!this.#seen.has(buffer)) {
        this.#seen.add(buffer)
        this.size += buffer.byteLength
      }
      return undefined
    }
    if (object instanceof ArrayBuffer) {
      this.size += object.byteLength
      return undefined
    }
    const isPlain = Array.isArray(object) || kindOf(object) === "Object"
    if (!isPlain && !kept.some((kind) => object instanceof kind && kindOf(object) === kind.name))
      throw cannotBeSaved(`an object of the kind ${kindOf(object)}`)
    if (object instanceof RegExp) this.size += 2 * object.source.length
    const isBag = object instanceof Map || object instanceof Set
    const items = isBag ? object.size : Array.isArray(object) ? object.length : 0
    // Listing what a huge one holds would itself cost more than the limit.
    if (this.size + word * items > this.#limit) {
      this.size += word * items
      return undefined
    }
    return isBag ? itemsOf(object) : propertiesOf(object)
  }
}

function* itemsOf(object: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>): Iterator<unknown> {
  for (const [key, item] of object.entries()) {
    if (object instanceof Map) yield key
    yield item
  }
}

function* propertiesOf(object: object): Iterator<unknown> {
  if (object instanceof Error) {
    yield object.message
    yield object.stack
    yield object.cause
  }
  const isArray = Array.isArray(object)
  for (const [index, name] of Object.keys(object).entries()) {
    if (!isArray || index >= object.length) yield name
    yield Reflect.get(object, name)
  }
}

/** Making its text takes time that grows with the square of its length: it is asked only as often as it must be. */
const bytesOf = (value: bigint, limit: number): number => {
  let bytes = 8
  while (bytes <= limit && BigInt.asIntN(8 * bytes, value) !== value) bytes *= 2
  return bytes
}

const cannotBeSaved = (what: string): TypeError =>
  new TypeError(
    `The state holds ${what}, which cannot be saved. Save plain objects, arrays, Map, Set, Date and byte arrays.`,
  )
