import type { App } from "../App.ts"

/** As far as these tests need one: it keeps and forgets the cookies it is told to. */
export class Browser {
  readonly cookies = new Map<string, string>()
  /** The `Set-Cookie` headers of the last visit. */
  told: ReadonlyArray<string> = []

  async visit(app: App, path = "/visits", headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ")
    const response = await app.request(path, {
      headers: { ...(cookie === "" ? {} : { cookie }), ...headers },
    })
    this.told = response.headers.getSetCookie()
    for (const set of this.told) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? []
      if (/; max-age=0\b/i.test(set)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return response
  }
}
