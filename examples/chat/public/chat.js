/**
 * The page: no framework, nothing from elsewhere. A React application would use `useChat` of the AI SDK instead; what it
 * talks to is the same. Here a lost connection is taken up again by itself, from where it broke off.
 */
const byId = (id) => document.getElementById(id)

/** Which conversations there are is remembered here; what is in them is the server's to know. */
const known = {
  all: () => JSON.parse(localStorage.getItem("chats") ?? "[]"),
  put: (id, title) => {
    const others = known.all().filter((chat) => chat.id !== id)
    localStorage.setItem("chats", JSON.stringify([{ id, title }, ...others]))
  },
  remove: (id) => localStorage.setItem("chats", JSON.stringify(known.all().filter((chat) => chat.id !== id))),
}

const textOf = (message) => message.parts.map((part) => (part.type === "text" ? part.text : "")).join("")

/** What is shown: one conversation, and the reply that is being read, if there is one. */
let chat = { id: "", messages: [] }
let reading

// Text is always set as text: nothing that anybody says is ever read as HTML.
const show = () => {
  byId("messages").replaceChildren(
    ...chat.messages.map((message) => {
      const line = document.createElement("p")
      line.className = message.role
      line.textContent = textOf(message) || "…"
      return line
    }),
  )
  byId("list").replaceChildren(
    ...known.all().map(({ id, title }) => {
      const item = document.createElement("li")
      const link = document.createElement("a")
      link.href = `#${id}`
      link.textContent = title
      if (id === chat.id) link.setAttribute("aria-current", "true")
      item.append(link)
      return item
    }),
  )
  byId("send").hidden = reading !== undefined
  byId("stop").hidden = reading === undefined
  byId("cut").disabled = reading === undefined
}
const say = (text, { error = false, again = false } = {}) => {
  byId("status").textContent = text
  byId("status").classList.toggle("error", error)
  byId("again").hidden = !again
}

/** The server has answered and said why not, in plain words. */
class Refused extends Error {}

const ask = async (path, init) => {
  const response = await fetch(path, init)
  if (response.ok) return response
  const { title } = await response.json().catch(() => ({}))
  const refused = new Refused(title ?? "The server does not answer as it should.")
  refused.gone = response.status === 410
  throw refused
}

/** Server-sent events: blocks of lines, parted by empty ones. */
const eventsOf = async function* (body) {
  let text = ""
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + piece).split("\n\n")
    text = blocks.pop()
    for (const block of blocks) {
      const fields = block.split("\n").map((line) => line.split(/: (.*)/s, 2))
      if (!block.startsWith(":")) yield Object.fromEntries(fields)
    }
  }
}

/** One element of the AI SDK's UI message stream, into the message it belongs to. True: it was the last. */
const take = (me, chunk) => {
  if (chunk.type === "start") {
    me.message = { id: chunk.messageId, role: "assistant", parts: [] }
    chat.messages = [...chat.messages.filter(({ id }) => id !== chunk.messageId), me.message]
  } else if (chunk.type === "text-start") me.message.parts.push({ type: "text", text: "" })
  else if (chunk.type === "text-delta") me.message.parts.at(-1).text += chunk.delta
  else if (chunk.type === "abort") say("Stopped.")
  else if (chunk.type === "error") say(chunk.errorText, { error: true, again: true })
  else return false
  show()
  return chunk.type === "abort" || chunk.type === "error"
}

/** Milliseconds until a lost connection is tried again; doubled each time it fails. */
const [firstPause, longestPause] = [500, 8000]

/**
 * Reads a reply to its end, over as many connections as it takes. `first` opens the first one; those after it go on behind
 * the last event that came. False: there is none to read.
 */
const follow = async (id, first) => {
  const me = { reply: undefined, last: undefined, message: undefined, connection: new AbortController() }
  reading = me
  show()
  let open = first
  let pause = firstPause
  let lost = false
  try {
    for (;;) {
      me.connection = new AbortController()
      const { signal } = me.connection
      try {
        const headers = me.last === undefined ? {} : { "last-event-id": me.last }
        const response = await open(`chats/${id}/stream`, { headers, signal })
        if (response.status === 204) return me.last !== undefined
        me.reply = response.headers.get("x-reply")
        if (lost) say("")
        lost = false
        pause = firstPause
        for await (const event of eventsOf(response.body)) {
          if (reading !== me) return true
          me.last = event.id ?? me.last
          if (event.data === "[DONE]" || take(me, JSON.parse(event.data))) return true
        }
      } catch (error) {
        if (error instanceof Refused) throw error
      }
      if (reading !== me) return true
      say("The connection is lost. Trying again…")
      lost = true
      open = ask
      await new Promise((resolve) => setTimeout(resolve, pause))
      pause = Math.min(2 * pause, longestPause)
      if (reading !== me) return true
    }
  } finally {
    if (lost && reading === me) say("")
    if (reading === me) reading = undefined
    show()
  }
}

/** What the server knows; what is shown already was read from it a moment ago, and comes last. */
const load = async (id) => {
  const messages = await (await ask(`chats/${id}`)).json()
  if (chat.id !== id) return
  const shown = new Set(chat.messages.map((message) => message.id))
  chat.messages = [...messages.filter((message) => !shown.has(message.id)), ...chat.messages]
  show()
}

const failed = (error) =>
  say(error instanceof Refused ? error.message : "The server cannot be reached.", { error: true })

const send = async (message) => {
  const { id } = chat
  const before = chat.messages
  const at = before.findIndex((one) => one.id === message.id)
  chat.messages = [...(at === -1 ? before : before.slice(0, at)), message]
  if (!known.all().some((one) => one.id === id)) known.put(id, textOf(message).slice(0, 60))
  say("")
  const post = (_path, { signal }) =>
    ask(`chats/${id}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ message }),
      signal,
    })
  try {
    if (await follow(id, post)) return
    // The connection was lost before the first event: the server may have the whole answer, or nothing of the question.
    chat.messages = []
    await load(id)
    if (chat.messages.at(-1)?.role === "assistant") return
    if (!chat.messages.some((one) => one.id === message.id)) chat.messages.push(message)
    show()
    say("It was not answered.", { error: true, again: true })
  } catch (error) {
    if (chat.id !== id) return
    // So much was missed that the server no longer has the part where it broke off.
    if (error.gone) return openChat()
    chat.messages = before
    byId("text").value ||= textOf(message)
    show()
    failed(error)
  }
}

const openChat = async () => {
  reading?.connection.abort()
  reading = undefined
  const id = location.hash.slice(1) || crypto.randomUUID()
  chat = { id, messages: [] }
  history.replaceState(null, "", `#${id}`)
  say("")
  show()
  if (!known.all().some((one) => one.id === id)) return
  const asked = Promise.withResolvers()
  const first = (path, init) => ask(path, init).finally(asked.resolve)
  try {
    // First the reply that is being made: if it ends meanwhile, it is part of what is loaded after it.
    const following = follow(id, first)
    await Promise.race([asked.promise, following])
    await load(id)
    await following
  } catch (error) {
    if (chat.id === id) failed(error)
  }
}

byId("form").addEventListener("submit", (event) => {
  event.preventDefault()
  const text = byId("text").value.trim()
  if (text === "" || reading !== undefined) return
  byId("text").value = ""
  void send({ id: crypto.randomUUID(), role: "user", parts: [{ type: "text", text }] })
})
byId("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return
  event.preventDefault()
  byId("form").requestSubmit()
})
byId("stop").addEventListener("click", () => {
  void ask(`chats/${chat.id}/stop`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    // A stop that comes late stops no newer one.
    body: JSON.stringify({ reply: reading?.reply }),
  }).catch(() => say("The server cannot be reached.", { error: true }))
})
byId("again").addEventListener("click", () => {
  const last = chat.messages.findLast((message) => message.role === "user")
  if (last !== undefined) void send(last)
})
byId("cut").addEventListener("click", () => reading?.connection.abort())
byId("new").addEventListener("click", () => {
  location.hash = crypto.randomUUID()
})
byId("delete").addEventListener("click", async () => {
  await ask(`chats/${chat.id}`, { method: "DELETE" }).catch(() => {})
  known.remove(chat.id)
  location.hash = known.all()[0]?.id ?? crypto.randomUUID()
})
addEventListener("hashchange", () => void openChat())
void openChat()
