/**
 * When charts draw: two in a picture and the rest in the next ones, so that a page of many is never late because of them. A
 * chart that was to be drawn twice is drawn once, with what is newest.
 */

/** Charts drawn before one picture. */
const most = 2

const waiting = new Set<() => void>()
let request: number | undefined

const run = (): void => {
  request = undefined
  let left = most
  for (const draw of waiting) {
    if (left === 0) break
    left -= 1
    waiting.delete(draw)
    draw()
  }
  if (waiting.size > 0) request = requestAnimationFrame(run)
}

/** The same function once more is not drawn once more. */
export const drawSoon = (draw: () => void): void => {
  waiting.add(draw)
  request ??= requestAnimationFrame(run)
}

export const drawNever = (draw: () => void): void => {
  waiting.delete(draw)
}
