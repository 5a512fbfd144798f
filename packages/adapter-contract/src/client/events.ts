/** A field is a text; a comment is the field `""`. */
export type WireEvent = Readonly<Record<string, string>>

/** The blocks of a `text/event-stream` answer, comments too, as far as it has come. Leaving the loop leaves the stream. */
export const events = async function* (response: Response): AsyncGenerator<WireEvent, undefined> {
  let text = ""
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    const blocks = text.split("\n\n")
    text = blocks.pop() ?? ""
    yield* blocks.map(fieldsOf)
  }
}

const fieldsOf = (block: string): WireEvent => {
  const fields: Record<string, string> = {}
  for (const line of block.split("\n")) {
    const [, field = "", value = ""] = /^([^:]*): ?(.*)$/s.exec(line) ?? []
    fields[field] = field in fields ? `${fields[field]}\n${value}` : value
  }
  return fields
}

/** All that is left of a stream. */
export const rest = async (stream: AsyncIterable<WireEvent>): Promise<ReadonlyArray<WireEvent>> => {
  const all: Array<WireEvent> = []
  for await (const event of stream) all.push(event)
  return all
}
export const allEvents = (response: Response): Promise<ReadonlyArray<WireEvent>> => rest(events(response))

/** The next so many blocks; the stream stays open. */
export const take = async (
  stream: AsyncIterator<WireEvent>,
  count: number,
): Promise<ReadonlyArray<WireEvent>> => {
  const taken: Array<WireEvent> = []
  while (taken.length < count) {
    const { done, value } = await stream.next()
    if (done === true) throw new Error(`the stream ended after ${taken.length} of ${count} events`)
    taken.push(value)
  }
  return taken
}
