/** Milliseconds as a finding shows them. */
export const inSeconds = (ms: number): string =>
  ms === Infinity ? "without end" : `${Number((ms / 1000).toFixed(3))} s`
