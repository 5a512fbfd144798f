import { both, edit, type Group } from "../Mutant.ts"

export const leasesAndIdle: Group = {
  title: "Leases and idle",
  mutants: [
    {
      name: "idle from the start of a use",
      laws: ["L8"],
      edits: [
        edit(
          "task/Turns.ts",
          "    enlist(generation, task)",
          `    enlist(generation, task)
    generation.since = now`,
        ),
        edit(
          "task/Turns.ts",
          "if (session.list === undefined) registry.idle.add(session, now)",
          "if (session.list === undefined) registry.idle.add(session, session.generation?.since ?? now)",
        ),
      ],
      tests: both("idle"),
    },
    {
      name: "idle timer not rechecked",
      laws: ["L8"],
      edits: [
        edit("task/Turns.ts", "    if (session.list !== undefined) session.list.remove(session)\n", ""),
      ],
      tests: both("idle"),
    },
    {
      name: "idle ignores the queue",
      laws: ["L8"],
      edits: [
        edit(
          "session/Session.ts",
          `return this.state === "Ready" && this.generation?.inUse === 0 && this.waiting === 0`,
          `return this.state === "Ready" && this.generation?.inUse === 0`,
        ),
        edit(
          "registry/HandIn.ts",
          `        if (session.list !== undefined) session.list.remove(session)
        return registry.hangs.need(session)`,
          "        return registry.hangs.need(session)",
        ),
      ],
      tests: both("probesEnds", "idle"),
    },
    {
      name: "leaving waiter not a use",
      laws: ["L8"],
      edits: [
        edit(
          "registry/HandIn.ts",
          `        if (session.list !== undefined) session.list.remove(session)
        return registry.hangs.need(session)`,
          "        return registry.hangs.need(session)",
        ),
        edit(
          "session/Session.ts",
          `    if (this.state === "Ready") this.registry.closing.idleDue(this)`,
          `    if (this.state === "Ready" && this.waiting > 0) return
    if (this.state === "Ready") this.registry.closing.idleDue(this)`,
        ),
      ],
      tests: both("probesEnds", "idle"),
    },
    {
      name: "probe as use",
      laws: ["L8"],
      edits: [
        edit(
          "session/Probes.ts",
          "    probe.asked = asked\n",
          `    probe.asked = asked
    if (generation.session.list !== undefined) generation.session.list.remove(generation.session)\n`,
        ),
      ],
      tests: both("probesEnds"),
    },
    {
      name: "keepAlive unbounded: background work without a silence clock",
      laws: ["L8", "L13"],
      edits: [
        edit(
          "task/background.ts",
          "background.silence = registry.policy.timeouts.silence",
          "background.silence = Infinity",
        ),
      ],
      tests: both("background", "leases"),
    },
    {
      name: "keepAlive unbounded: a lease may be held for ever",
      laws: ["L8"],
      edits: [
        edit(
          "task/Leases.ts",
          `registry.timetable.at("lease", longestLease,`,
          `registry.timetable.at("lease", Infinity,`,
        ),
      ],
      tests: both("leases"),
    },
    {
      name: "lease takes the slot",
      laws: ["L8"],
      edits: [
        edit(
          "task/Leases.ts",
          "    generation.inUse++\n",
          "    generation.inUse++\n    generation.slotsTaken++\n",
        ),
        edit(
          "task/Leases.ts",
          "    generation.inUse--\n",
          "    generation.inUse--\n    generation.slotsTaken--\n",
        ),
      ],
      tests: both("leases"),
    },
    {
      name: "lease follows to the next generation",
      laws: ["L8"],
      edits: [
        edit(
          "registry/HandIn.ts",
          "const bound = lease?.generation\n",
          "const bound = lease?.generation.session.generation\n",
        ),
        edit(
          "registry/HandIn.ts",
          `      if (lease.ended !== undefined || lease.generation.phase !== "live")
        return registry.answers.refuse(task, "LeaseEnded")\n`,
          "",
        ),
        edit("session/Closing.ts", "(task) => !bound(task),", "() => true,"),
      ],
      tests: both("leases", "oneWayIn", "moves"),
    },
    {
      name: "recycle without barrier",
      laws: ["L8"],
      edits: [
        edit(
          "task/Turns.ts",
          "      return registry.hangs.need(session)\n    }\n    if (cold?.probe !== undefined)",
          `      if (barrier.reason !== "Recycled") return registry.hangs.need(session)
    }
    if (cold?.probe !== undefined)`,
        ),
        edit(
          "task/Turns.ts",
          "      cold.barrier !== undefined ||",
          `      (cold.barrier !== undefined && cold.barrier.reason !== "Recycled") ||`,
        ),
        edit(
          "registry/HandIn.ts",
          "      if (cold.barrier !== undefined) return false",
          `      if (cold.barrier !== undefined && cold.barrier.reason !== "Recycled") return false`,
        ),
      ],
      tests: both("recycling"),
    },
  ],
}
