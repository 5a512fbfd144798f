/** One server-sent event. */
export interface ServerSent {
  readonly id?: string
  readonly event?: string
  readonly data?: string
}

/** The events of a `text/event-stream` answer, as they come; comments are left out. */
export const eventsOf = async function* (response: Response): AsyncGenerator<ServerSent> {
  let text = ""
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk
    const blocks = text.split("\n\n")
    text = blocks.pop() ?? ""
    for (const block of blocks) {
      const fields = block.split("\n").map((line) => line.split(/: (.*)/s, 2))
      if (!block.startsWith(":")) yield Object.fromEntries(fields)
    }
  }
}

export const all = async <A>(elements: AsyncIterable<A>): Promise<Array<A>> => {
  const collected: Array<A> = []
  for await (const element of elements) collected.push(element)
  return collected
}
