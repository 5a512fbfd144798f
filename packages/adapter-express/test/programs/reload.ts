/** `node reload.ts <Express 4 or 5>`: what a development server does when a file changes. It says each answer. */
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { versions, type Express } from "../versions.ts"

const say = (line: unknown): void => console.log(JSON.stringify(line))
const express = versions.find(({ name }) => name === process.argv[2])?.express
if (express === undefined) throw new Error("no such version")

/** Another query is another module to Node, as it is to Vite. */
const evaluate = async (change: number): Promise<RequestListener> => {
  const url = new URL(`./reloaded.ts?change=${change}`, import.meta.url).href
  const module = (await import(url)) as { readonly app: (express: Express) => RequestListener }
  return module.app(express)
}

let handler = await evaluate(1)
const server = createServer((req, res) => handler(req, res)).listen(0, "127.0.0.1", async () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ask = async (path: string): Promise<void> => say(await (await fetch(url + path)).json())
  await ask("/alice")
  await ask("/alice")
  const [running] = [fetch(`${url}/alice/slow`)]
  await ask("/alice/begun")
  handler = await evaluate(2)
  await ask("/alice")
  say(await (await running).json())
  await ask("/bob")
  handler = await evaluate(3)
  await ask("/alice")
  await ask("/registries")
  await ask("/restart/alice")
  await ask("/alice")
  process.exit(0)
})
