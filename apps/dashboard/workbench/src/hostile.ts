/** Names as nobody should give them. */
export const hostile: ReadonlyArray<readonly [what: string, text: string]> = [
  ["markup", `<img src=x onerror="document.title='owned'"><script>document.title="owned"</script>`],
  ["an address", "javascript:document.title='owned'"],
  ["an entity", "&lt;b&gt;&#x3C;script&#x3E;"],
  ["turned writing", "\u202Egnp.elif\u202C and \u2066isolated"],
  ["Hebrew and digits", "שלום 123 <b>עולם</b>"],
  ["terminal", "\u001B[2J\u001B]0;owned\u0007red\u001B[31m"],
  ["lines", "first\r\nsecond\u2028third"],
  ["nothing to see", "\u200B\u200C\u2060\uFEFF"],
  ["half a pair", "\uD800 alone \uDFFF"],
  ["piled marks", `Z${"\u0301".repeat(400)}algo`],
  ["emoji", "👩‍👩‍👧‍👦 family 🏳️‍🌈"],
  ["a template", "${globalThis} {{constructor}} %s %c"],
  ["a megabyte", "A<b>".repeat(262_144)],
  ["a megabyte without a space", "x".repeat(1_048_576)],
]
