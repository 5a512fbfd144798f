/** How full the heap of this process is, garbage included: 0 to 1, of V8's own limit. 0 where that cannot be seen. */
const v8 =
  typeof process === "object" && typeof process.getBuiltinModule === "function"
    ? process.getBuiltinModule("node:v8")
    : undefined

export const heapShare = (): number => {
  if (v8 === undefined) return 0
  const { used_heap_size, heap_size_limit } = v8.getHeapStatistics()
  return used_heap_size / heap_size_limit
}
