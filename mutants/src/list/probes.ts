import { both, edit, type Group } from "../Mutant.ts"

export const probes: Group = {
  title: "Probes",
  mutants: [
    {
      name: "a probe asked beside a turn",
      laws: ["L11"],
      edits: [
        edit(
          "session/Probes.ts",
          "if (probe.asked !== undefined || generation.slotsTaken > 0) return",
          "if (probe.asked !== undefined) return",
        ),
      ],
      tests: both("probesBusy", "probesBeside"),
    },
    {
      name: "a probe asked beside a turn, on its interval",
      laws: ["L11"],
      edits: [
        edit(
          "session/Probes.ts",
          "const busy = generation.slotsTaken > 0 || generation.cold?.barrier !== undefined",
          "const busy = generation.cold?.barrier !== undefined",
        ),
      ],
      tests: both("probesBusy", "probes"),
    },
    {
      name: "a turn started beside a probe",
      laws: ["L6", "L11"],
      edits: [edit("session/Probes.ts", "    if (probe.asked !== undefined) return true\n", "")],
      tests: both("probes", "probesAnswers"),
    },
    {
      name: "probe result not looked at: false",
      laws: ["L11"],
      edits: [edit("session/Probes.ts", "answer(value !== false, new Error", "answer(true, new Error")],
      tests: both("probesAnswers"),
    },
    {
      name: "probe result not looked at: what it throws",
      laws: ["L11"],
      edits: [
        edit(
          "session/Probes.ts",
          "(thrown: unknown): void => answer(false, thrown)",
          "(thrown: unknown): void => answer(true, thrown)",
        ),
      ],
      tests: both("probesAnswers"),
    },
    {
      name: "probe result not looked at: no answer in time",
      laws: ["L11", "L13"],
      edits: [
        edit(
          "session/Probes.ts",
          "    this.#bad(probe, asked, new Error(`The probe gave no answer within ${timeout} ms.`))\n",
          "",
        ),
      ],
      tests: both("probesAnswers", "probesTimeout"),
    },
    {
      name: "trust never renewed",
      laws: ["L11"],
      edits: [edit("session/Probes.ts", "    probe.trustedAt = now\n    probe.doubt", "    probe.doubt")],
      tests: both("probes"),
    },
    {
      name: "a task's own error asks for no probe",
      laws: ["L11"],
      edits: [
        edit(
          "task/Turns.ts",
          "        if (generation.cold?.probe !== undefined) registry.probes.doubt(generation.cold.probe, value, now)\n",
          "",
        ),
      ],
      tests: both("probes", "probesAnswers"),
    },
  ],
}
