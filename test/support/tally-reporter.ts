import type { SerializedError } from "vitest"
import type { Reporter, TestModule, Vitest } from "vitest/node"

/** Prints one closing line, `12 passed, 0 failed`, that counts everything that went wrong, loading and hooks included. */
export default class TallyReporter implements Reporter {
  private vitest: Vitest | undefined

  onInit(vitest: Vitest): void {
    this.vitest = vitest
  }

  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandled: ReadonlyArray<SerializedError>): void {
    let passed = 0
    let failed = unhandled.length
    let skipped = 0
    for (const module of modules) {
      failed += module.errors().length // a module that does not load
      for (const suite of module.children.allSuites()) failed += suite.errors().length // a hook that throws
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === "passed") passed += 1
        else if (state === "failed") failed += 1
        else skipped += 1
      }
    }
    if (process.env["CI"] !== undefined) {
      const seen = new Set(modules.map((module) => module.project.name))
      for (const { name } of this.vitest?.projects ?? []) {
        if (seen.has(name)) continue
        console.error(`project ${name} ran no test`)
        process.exitCode = 1
        failed += 1
      }
    }
    const rest = skipped === 0 ? "" : `, ${skipped} skipped`
    process.stdout.write(`\n${passed} passed, ${failed} failed${rest}\n`)
  }
}
