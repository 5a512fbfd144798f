/**
 * A state as JSON, without loss. What JSON can say is written as it is. Everything else is an object with the name of its
 * kind under `$`, and so is an object that has a `$` of its own:
 *
 *     { "at": { "$": "Date", "of": 0 }, "tags": { "$": "Set", "of": ["a"] }, "none": { "$": "undefined" } }
 *
 * Objects are numbered in the order in which they begin. `{ "$": "same", "of": 3 }` is the one with number 3: what was one
 * object is one object again, and cycles are no trouble.
 */
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import { kindOf } from "./sizeOf.ts"

export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [name: string]: Json }

const viewKinds: ReadonlySet<string> = new Set([
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float16Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
  "DataView",
])
const errorKinds: ReadonlySet<string> = new Set([
  "Error",
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
  "URIError",
])

const tagged = (kind: string, of?: Json): Json => (of === undefined ? { $: kind } : { $: kind, of })

/** Only for what `sizeOf` takes. */
export const jsonOf = (state: unknown): Json => {
  const numbers = new Map<object, number>()

  const ofValue = (value: unknown): Json => {
    if (typeof value === "string" || typeof value === "boolean" || value === null) return value
    if (typeof value === "number") {
      if (Object.is(value, -0)) return tagged("number", "-0")
      return Number.isFinite(value) ? value : tagged("number", String(value))
    }
    // Decimal text takes time that grows with the square of its length.
    if (typeof value === "bigint") return tagged("bigint", value.toString(16))
    return typeof value === "object" ? ofObject(value) : tagged("undefined")
  }

  const ofObject = (object: object): Json => {
    const number = numbers.get(object)
    if (number !== undefined) return tagged("same", number)
    numbers.set(object, numbers.size)
    // Only the bytes of the view: its buffer may be one in which Node keeps other things too.
    if (ArrayBuffer.isView(object))
      return tagged(
        kindOf(object),
        Base64.encode(new Uint8Array(object.buffer, object.byteOffset, object.byteLength)),
      )
    if (object instanceof ArrayBuffer) return tagged("ArrayBuffer", Base64.encode(new Uint8Array(object)))
    if (object instanceof Map)
      return tagged(
        "Map",
        Array.from(object, ([key, value]) => [ofValue(key), ofValue(value)]),
      )
    if (object instanceof Set) return tagged("Set", Array.from(object, ofValue))
    if (object instanceof Date) return tagged("Date", ofValue(object.getTime()))
    if (object instanceof RegExp) return tagged("RegExp", [object.source, object.flags])
    if (object instanceof Error) return ofError(object)
    const names = Object.keys(object)
    if (Array.isArray(object)) {
      // Names that are not indices come last.
      const plain = names.length === object.length && (names.at(-1) ?? "-1") === String(object.length - 1)
      return plain ? object.map(ofValue) : tagged("Array", [object.length, ...ofProperties(object, names)])
    }
    if (names.includes("$") || names.includes("__proto__"))
      return tagged("Object", ofProperties(object, names))
    return Object.fromEntries(names.map((name) => [name, ofValue(Reflect.get(object, name))]))
  }

  const ofProperties = (object: object, names: ReadonlyArray<string>): ReadonlyArray<Json> =>
    names.map((name) => [name, ofValue(Reflect.get(object, name))])

  const ofError = (error: Error): Json => {
    const name = errorKinds.has(error.name) ? error.name : "Error"
    const parts: ReadonlyArray<Json> = [name, textOr(error.message), textOr(error.stack)]
    return tagged("Error", "cause" in error ? [...parts, ofValue(error.cause)] : parts)
  }

  return ofValue(state)
}

const textOr = (value: unknown): string => (typeof value === "string" ? value : "")

/** @throws Error for what `jsonOf` does not give */
export const stateOf = (json: unknown): unknown => {
  const objects: Array<unknown> = []
  const begun = <A>(object: A): A => {
    objects.push(object)
    return object
  }

  const ofValue = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value
    if (Array.isArray(value)) {
      const array = begun(new Array<unknown>())
      for (const item of value) array.push(ofValue(item))
      return array
    }
    if (Object.hasOwn(value, "$")) return ofTagged(textIn(Reflect.get(value, "$")), Reflect.get(value, "of"))
    const object = begun<Record<string, unknown>>({})
    for (const [name, part] of Object.entries(value)) {
      // It would become the prototype; written by `jsonOf` it is a property of a tagged object.
      if (name === "__proto__") throw unknown("name")
      object[name] = ofValue(part)
    }
    return object
  }

  const ofTagged = (kind: string, of: unknown): unknown => {
    if (viewKinds.has(kind)) return begun(viewOf(kind, bytesIn(of)))
    switch (kind) {
      case "undefined":
        return undefined
      case "number":
        return Number(textIn(of))
      case "bigint":
        return bigintOf(textIn(of))
      case "same":
        if (typeof of === "number" && of in objects) return objects[of]
        throw unknown("number")
      case "ArrayBuffer":
        return begun(bytesIn(of))
      case "Date":
        return begun(new Date(Number(ofValue(of))))
      case "RegExp": {
        const [source, flags] = listIn(of)
        return begun(new RegExp(textIn(source), textIn(flags)))
      }
      case "Error":
        return ofError(listIn(of))
      case "Map": {
        const map = begun(new Map<unknown, unknown>())
        for (const pair of listIn(of)) {
          const [key, value] = listIn(pair)
          map.set(ofValue(key), ofValue(value))
        }
        return map
      }
      case "Set": {
        const set = begun(new Set<unknown>())
        for (const item of listIn(of)) set.add(ofValue(item))
        return set
      }
      case "Array": {
        const [length, ...properties] = listIn(of)
        const array = begun(new Array<unknown>())
        array.length = Number(length)
        return withProperties(array, properties)
      }
      case "Object":
        return withProperties(begun({}), listIn(of))
      default:
        throw unknown("kind")
    }
  }

  const withProperties = <A extends object>(object: A, properties: ReadonlyArray<unknown>): A => {
    for (const property of properties) {
      const [name, part] = listIn(property)
      define(object, textIn(name), ofValue(part), true)
    }
    return object
  }

  const ofError = ([name, message, stack, ...cause]: ReadonlyArray<unknown>): Error => {
    const error = begun(errorOf(textIn(name), textIn(message)))
    define(error, "stack", textIn(stack), false)
    if (cause.length > 0) define(error, "cause", ofValue(cause[0]), false)
    return error
  }

  return ofValue(json)
}

/** Assigning to `__proto__` would make no property. */
const define = (object: object, name: string, value: unknown, enumerable: boolean): void =>
  void Object.defineProperty(object, name, { value, enumerable, configurable: true, writable: true })

const textIn = (json: unknown): string => {
  if (typeof json !== "string") throw unknown("text")
  return json
}
const listIn = (json: unknown): ReadonlyArray<unknown> => {
  if (!Array.isArray(json)) throw unknown("list")
  return json
}
const bytesIn = (json: unknown): ArrayBuffer =>
  new Uint8Array(Result.getOrThrow(Base64.decode(textIn(json)))).buffer
const bigintOf = (text: string): bigint =>
  text.startsWith("-") ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`)

const viewOf = (kind: string, bytes: ArrayBuffer): unknown => Reflect.construct(builtIn(kind), [bytes])
const errorOf = (kind: string, message: string): Error => {
  const error: unknown = errorKinds.has(kind) ? Reflect.construct(builtIn(kind), [message]) : undefined
  if (!(error instanceof Error)) throw unknown("error")
  return error
}
const builtIn = (name: string): new (...args: never) => unknown => Reflect.get(globalThis, name)

const unknown = (what: string): Error => new Error(`no such ${what}`)
