// Plain JavaScript on purpose: it must run, and speak clearly, on any Node.
const needed = 24
const major = Number(process.versions.node.split(".")[0])
if (major < needed) {
  console.error(
    `Sojourn needs Node ${needed} or newer, and this is ${process.versions.node}. ` +
      `On Linux "npx -y pnpm@12 install" brings its own; elsewhere install Node ${needed} and try again.`,
  )
  process.exit(1)
}
