/** What the Express adapter adds to a route, against what applications write by hand. */
import { type Config, type Group, groupOf, measure, type Suite, throughput } from "../harness.ts"
import { eventsPerAnswer } from "../http/apps.ts"
import { type Fired, fire, type Load } from "../http/load.ts"
import { owners } from "../http/owners.ts"
import { mirroredRounds } from "../http/rounds.ts"
import { type Server, startServer } from "../http/server.ts"

const connections = 20

type Case = Pick<Load, "server" | "path"> & { readonly name: string }

/** The answer of a route is the count after its turn; two turns that saw the same one would change the sum. */
const countIn = (body: string): number => (/^\d+$/.test(body) ? Number(body) : Number.NaN)

/** 1 for an answer with all its events. */
const eventsIn = (body: string): number =>
  body.split("\n\n").length - 1 === eventsPerAnswer && body.endsWith(`data: {"n":${eventsPerAnswer}}\n\n`)
    ? 1
    : Number.NaN

const fired = (
  config: Config,
  id: string,
  cases: ReadonlyArray<Case>,
  load: Pick<Load, "amount" | "value" | "expected">,
) =>
  mirroredRounds<keyof Fired>(
    config,
    id,
    ["perRequest", "cpu", "p50", "p99"],
    cases.map(({ name, ...target }) => ({ name, sample: () => fire({ ...target, ...load, connections }) })),
  )

const route = async (config: Config, byHand: Server, sojourn: Server): Promise<ReadonlyArray<Group>> => {
  const against = ["by hand: Map", "by hand: Map of promises"]
  const measured = await fired(
    config,
    "http/route",
    [
      { name: "by hand: Map", server: byHand, path: "/pads/:pad" },
      { name: "by hand: Map of promises", server: byHand, path: "/opened/:pad" },
      { name: "sojourn, owner and id", server: sojourn, path: "/pads/:pad" },
      { name: "sojourn, owner", server: sojourn, path: "/own/:pad" },
    ],
    { amount: config.quick ? 500 : 4000, value: countIn, expected: "sum" },
  )
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

const sse = async (config: Config, byHand: Server, sojourn: Server): Promise<ReadonlyArray<Group>> => {
  const against = ["by hand: res.write in a loop", "by hand: for await, res.write"]
  const measured = await fired(
    config,
    "http/sse",
    [
      { name: "by hand: res.write in a loop", server: byHand, path: "/events/loop/:pad" },
      { name: "by hand: for await, res.write", server: byHand, path: "/events/:pad" },
      { name: "sojourn, stream and sendSse", server: sojourn, path: "/events/:pad" },
    ],
    { amount: config.quick ? 60 : 400, value: eventsIn, expected: "turns" },
  )
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
  run: async (config) => {
    const [byHand, sojourn] = await Promise.all([startServer("byHand"), startServer("sojourn")])
    try {
      return [
        ...(await route(config, byHand, sojourn)),
        ...(await sse(config, byHand, sojourn)),
        await ownerCookie(config),
      ]
    } finally {
      await Promise.all([byHand.stop(), sojourn.stop()])
    }
  },
}
