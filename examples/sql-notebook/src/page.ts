/** The page, and what it may load: its own style and script, and answers from here. Nothing of anybody else. */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"

export const html = readFileSync(new URL("page.html", import.meta.url), "utf8")

/** Inline code runs only if it is exactly what we shipped, so no name or value in an answer can become code. */
const hash = (tag: "style" | "script"): string => {
  const [, text = ""] = new RegExp(`<${tag}>(.*?)</${tag}>`, "s").exec(html) ?? []
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`
}
export const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src ${hash("style")}`,
  `script-src ${hash("script")}`,
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ")
