/** What the Express adapter adds to a route, against what applications write by hand. */
import { type Config, type Group, groupOf, measure, type Suite, throughput } from "../harness.ts"
import { eventsPerAnswer, routes, streams } from "../http/apps.ts"
import { type Fired, fire, type Load } from "../http/load.ts"
import { owners } from "../http/owners.ts"
import { mirroredRounds } from "../http/rounds.ts"
import { startServer } from "../http/server.ts"

const connections = 20

/** The answer of a route is the count after its turn; two turns that saw the same one would change the sum. */
const countIn = (body: string): number => (/^\d+$/.test(body) ? Number(body) : Number.NaN)

/** 1 for an answer with all its events. */
const eventsIn = (body: string): number =>
  body.split("\n\n").length - 1 === eventsPerAnswer && body.endsWith(`data: {"n":${eventsPerAnswer}}\n\n`)
    ? 1
    : Number.NaN

const fired = async (
  config: Config,
  id: string,
  names: ReadonlyArray<string>,
  load: Pick<Load, "amount" | "value" | "expected">,
) => {
  const servers = await Promise.all(names.map(startServer))
  try {
    return await mirroredRounds<keyof Fired>(
      config,
      id,
      ["perRequest", "cpu", "p50", "p99"],
      servers.map((server) => ({
        name: server.name,
        sample: () => fire({ server, ...load, connections }),
      })),
    )
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}

const route = async (config: Config): Promise<ReadonlyArray<Group>> => {
  const against = ["by hand: Map", "by hand: Map of promises", "by hand: Map + chain"]
  const measured = await fired(config, "http/route", Object.keys(routes), {
    amount: config.quick ? 500 : 4000,
    value: countIn,
    expected: "sum",
  })
  const group = (
    figure: keyof Fired,
    title: string,
    unit: Group["unit"],
    notes: ReadonlyArray<string> = [],
  ) => groupOf({ id: `http/route/${figure}`, title, unit, against, notes }, measured[figure])
  return [
    group("perRequest", `trivial route, ${connections} connections`, "ns", ["time from answer to answer"]),
    group("cpu", "its processor time on the server", "ns"),
    group("p50", "its latency, p50", "ms"),
    group("p99", "its latency, p99", "ms"),
  ]
}

const sse = async (config: Config): Promise<ReadonlyArray<Group>> => {
  const against = ["by hand: res.write in a loop", "by hand: for await, res.write"]
  const measured = await fired(config, "http/sse", Object.keys(streams), {
    amount: config.quick ? 60 : 400,
    value: eventsIn,
    expected: "turns",
  })
  const group = (figure: "perRequest" | "cpu", title: string) => {
    const perEvent = new Map(
      Array.from(measured[figure], ([name, values]) => [
        name,
        values.map((value) => value / eventsPerAnswer),
      ]),
    )
    return groupOf({ id: `http/sse/${figure}`, title, unit: "ns", against }, perEvent)
  }
  return [
    group(
      "perRequest",
      `one server-sent event of ${eventsPerAnswer} in an answer, ${connections} connections`,
    ),
    group("cpu", "its processor time on the server"),
  ]
}

const ownerCookie = async (config: Config): Promise<Group> => {
  const { works, end } = await owners()
  const group = await measure(config, {
    id: "http/owner",
    title: "who asks, from a cookie that is known",
    unit: "ns",
    against: ["express-session, MemoryStore"],
    samplers: works.map((work) => throughput(config, "stream", work)),
    notes: ["browserOwner verifies and looks nothing up; express-session verifies and loads its session"],
  })
  end()
  return group
}

export const suite: Suite = {
  title: "An Express route: each server in a process of its own, autocannon as the load",
  run: async (config) => [...(await route(config)), ...(await sse(config)), await ownerCookie(config)],
}
