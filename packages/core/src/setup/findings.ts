/** What the setup checks have found in this process. */
import { processWide } from "../processWide.ts"
import { setupChecks, type SetupCode, type SetupFinding } from "./checks.ts"

const findings = processWide("setup", () => new Map<SetupCode, SetupFinding>())

/**
 * Tells it once a process, as a warning (`process.on("warning")` sees it; its `code` is the check's). Say `off`, or the
 * codes, parted by commas, in `SOJOURN_SETUP_CHECKS` to hear nothing of them.
 */
export const foundInSetup = (code: SetupCode, evidence: string): void => {
  if (!isSetupCheckOn(code)) return
  const finding: SetupFinding = { code, evidence, advice: setupChecks[code], docs: `docs/setup/${code}.md` }
  findings.set(code, finding)
  if (typeof process !== "object" || typeof process.emitWarning !== "function") return
  process.emitWarning(`${evidence} ${finding.advice}`, {
    type: "SojournSetup",
    code,
    detail: `${finding.docs} says more; SOJOURN_SETUP_CHECKS=${code} silences it.`,
  })
}

/** Still to be looked for: neither found already nor switched off. Ask before a look that costs something. */
export const isSetupCheckOn = (code: SetupCode): boolean => {
  if (findings.has(code)) return false
  const off = typeof process === "object" ? process.env["SOJOURN_SETUP_CHECKS"] : undefined
  return off === undefined || !off.split(",").some((word) => word.trim() === "off" || word.trim() === code)
}

/** What has been found so far, in that order: for a test that the application is put together well, or a health page. */
export const setupFindings = (): ReadonlyArray<SetupFinding> => [...findings.values()]
