import type { WriteStream } from "node:tty"

/** One line that is overwritten on a terminal; elsewhere a line per step would only fill a log, so rounds are left out. */
export const progressOn =
  (stream: NodeJS.WritableStream & Partial<Pick<WriteStream, "isTTY">>): ((text: string) => void) =>
  (text) => {
    if (stream.isTTY === true) stream.write(`\r\u001b[K${text}`)
    else if (text !== "" && !text.includes(": round ")) stream.write(`${text}\n`)
  }
