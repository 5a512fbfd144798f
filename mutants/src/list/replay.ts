import { both, edit, type Group } from "../Mutant.ts"

export const replay: Group = {
  title: "Replay",
  mutants: [
    {
      name: "replay twice",
      laws: ["L12"],
      edits: [edit("task/Turns.ts", "  task.extras?.replayed !== true &&\n", "")],
      tests: both("replay"),
    },
    {
      name: "replay beside the running first run",
      laws: ["L3", "L12"],
      edits: [
        edit(
          "task/Hangs.ts",
          "    generation.more.abandoned++\n",
          `    generation.more.abandoned++
    const { extras, session } = task
    if (extras?.idempotent === true && extras.replayed !== true && task.outcome === undefined)
      if (cut === "Broken" && session?.next === "reopen" && task.renew())
        return registry.turns.putBack(task, session, registry.time.now())\n`,
        ),
        edit(
          "task/Turns.ts",
          "      this.#putBack(task, session, now)\n",
          "      this.putBack(task, session, now)\n",
        ),
        edit("task/Turns.ts", "  #putBack(task: Task,", "  putBack(task: Task,"),
      ],
      tests: both("replay"),
    },
    {
      name: "replayed at the end of the queue",
      laws: ["L6", "L12"],
      edits: [
        edit(
          "task/Turns.ts",
          "(session.arrivals ??= new TaskList()).putBack(task)",
          "(session.arrivals ??= new TaskList()).push(task)",
        ),
        edit(
          "task/Turns.ts",
          "(session.queue ??= new TaskList()).putBack(task)",
          "(session.queue ??= new TaskList()).push(task)",
        ),
      ],
      tests: both("replay"),
    },
    {
      name: "replayed although it did not say it may be",
      laws: ["L12"],
      edits: [
        edit(
          "task/Turns.ts",
          "const again = task.extras?.idempotent === true && !returned &&",
          "const again = !returned &&",
        ),
      ],
      tests: both("replay", "losing"),
    },
    {
      name: "replayed after a restart too",
      laws: ["L12"],
      edits: [edit("task/Turns.ts", `  task.cut === "Broken" &&\n`, "  task.cut !== undefined &&\n")],
      tests: both("replayNot"),
    },
    {
      name: "replayed although its caller was told",
      laws: ["L5", "L12"],
      edits: [
        edit(
          "task/Turns.ts",
          `  task.outcome === undefined &&
  task.cut === "Broken" &&`,
          `  task.cut === "Broken" &&`,
        ),
      ],
      tests: both("replayLeft"),
    },
    {
      name: "what its first run left behind speaks for its second",
      laws: ["L12", "L21"],
      edits: [
        edit(
          "task/background.ts",
          `  task.state === "ended" || task.generation !== of`,
          `  task.state === "ended"`,
        ),
      ],
      tests: both("replayFence"),
    },
    {
      name: "what was to be told to its first run is told to its second",
      laws: ["L12", "L20"],
      edits: [
        edit("task/Stops.ts", "      if (task.frame === frame) task.stop(reason)", "      task.stop(reason)"),
      ],
      tests: both("replayFence"),
    },
    {
      name: "put back although it is a call of the turn that its generation waits for",
      laws: ["L7", "L12"],
      edits: [edit("task/Turns.ts", "  !hopeless(task) &&\n", "")],
      tests: both("replayNested"),
    },
  ],
}
