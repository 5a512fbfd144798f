import { both, edit, type Group } from "../Mutant.ts"

export const heap: Group = {
  title: "Heap",
  mutants: [
    {
      name: "heap watermark ignored: opened above it",
      laws: ["L9"],
      edits: [edit("registry/Seats.ts", `    if (heapWatch.over) return "MaxHeap"\n`, "")],
      tests: both("maxHeap"),
    },
    {
      name: "heap watermark ignored: nothing is closed above it",
      laws: ["L9"],
      edits: [
        edit(
          "registry/HeapWatch.ts",
          "    if (!this.#shedding) return\n",
          "    if (this.#shedding || low <= 1) return\n",
        ),
      ],
      tests: both("maxHeapSheds"),
    },
    {
      name: "one mark instead of two",
      laws: ["L9"],
      edits: [edit("registry/HeapWatch.ts", "this.#over || (this.#shedding && used > low)", "this.#over")],
      tests: both("maxHeapSheds"),
    },
    {
      name: "the line is not looked at when the heap has fallen",
      laws: ["L9"],
      edits: [
        edit("registry/HeapWatch.ts", "    if (wasOver && !this.#over) registry.steps.dirty = true\n", ""),
      ],
      tests: both("maxHeap"),
    },
    {
      name: "a heap that has filled since the last look is not seen by the next who wants a seat",
      laws: ["L9"],
      edits: [
        edit(
          "registry/HeapWatch.ts",
          "    this.#look()\n    if (this.#looking) return\n",
          "    if (this.#looking) return\n    this.#look()\n",
        ),
      ],
      tests: both("maxHeap"),
    },
  ],
}
