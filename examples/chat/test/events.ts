/** One server-sent event. */
export interface ServerSent {
  readonly id?: string
  readonly event?: string
  readonly data?: string
}

/** The events of an answer, as they come; comments are left out. */
export const eventsOf = async function* (response: Response): AsyncGenerator<ServerSent> {
  let text = ""
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece
    const blocks = text.split("\n\n")
    text = blocks.pop() ?? ""
    for (const block of blocks) {
      if (!block.startsWith(":"))
        yield Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s, 2)))
    }
  }
}

/** Reads until so many words have come. */
export const words = async (
  events: AsyncGenerator<ServerSent>,
  count: number,
): Promise<ReadonlyArray<ServerSent>> => {
  const read: Array<ServerSent> = []
  let spoken = 0
  while (spoken < count) {
    const { value } = await events.next()
    if (value === undefined) throw new Error(`the stream ended after ${spoken} words`)
    read.push(value)
    if (value.data?.includes('"text-delta"') === true) spoken++
  }
  return read
}

export const all = async <A>(elements: AsyncIterable<A>): Promise<Array<A>> => {
  const collected: Array<A> = []
  for await (const element of elements) collected.push(element)
  return collected
}
