import * as Schema from "effect/Schema"
import { count, flag, listOf, ms, oneOf, text } from "./fields.ts"
import { stamp } from "./kinds.ts"
import { recordingState } from "./profile.ts"
import { actionNames, bounds, problemTitles, roles, sections, type ProblemCode } from "./words.ts"

const { Literals, optionalKey, Struct } = Schema

export const About = Struct({
  ...stamp,
  role: oneOf(roles, "What this client may do."),
  versions: Struct({
    node: text("Of Node.js, or empty elsewhere.", 64),
    platform: text("Operating system and processor, or empty.", 64),
  }),
  uptimeMs: ms("Since this process began."),
  sections: Schema.Array(oneOf(sections, "A section of the live stream.")).annotate({
    description: "What a live stream of this server can carry.",
  }),
  actions: Schema.Array(oneOf(actionNames, "An action.")).annotate({
    description: "What this client may do.",
  }),
  shows: flag("The host shows names for sessions; without, there are hashes alone."),
  limits: Struct({
    rows: count("Rows of one window, at most."),
    viewers: count("Live streams at once, at most."),
    everyMs: ms("The least time between frames."),
  }),
  viewers: count("Live streams that are connected."),
  recording: recordingState,
  setup: listOf(
    Struct({
      code: text("Of the setup check.", 64),
      evidence: text("What was seen, and where."),
      advice: text("What to do."),
      docs: text("The page that says more.", 256),
    }),
    "What setup checks have found in this process.",
  ),
}).annotate({ identifier: "About", description: "Server, role and what can be asked." })
export type About = typeof About.Type

export const Problem = Struct({
  type: text("`urn:problem-type:sojourn-inspector:` and the code.", 128),
  title: text("The same in words.", 256),
  status: Schema.Int.check(Schema.isBetween({ minimum: 400, maximum: 599 })).annotate({
    description: "The HTTP status. Code.",
  }),
  code: Literals(Object.keys(problemTitles) as ReadonlyArray<ProblemCode>).annotate({
    description: "Which problem.",
  }),
  detail: optionalKey(text("What exactly.")),
  count: optionalKey(count("How many there are now, where another count was expected.", bounds.bulk)),
}).annotate({ identifier: "Problem", description: "Why a request was not answered, as RFC 9457 has it." })
export type Problem = typeof Problem.Type
