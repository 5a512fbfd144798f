/** A store of saved sessions in files: they outlive the process, and several processes may share it. */
import { join, resolve } from "node:path"
import { checkObject, resolveNames } from "../options.ts"
import { checkedMaxBytes, checkedText, checkState } from "../store/checkState.ts"
import type { SessionStore } from "../store/SessionStore.ts"
import { moveAside, setAside } from "./store/aside.ts"
import { codeOf, quietly } from "./store/durable.ts"
import { load, look, replace } from "./store/keyFolderFiles.ts"
import { encodeState, nameOfKey } from "./store/stateFile.ts"
import { begin, remove, sweep } from "./store/wholeFolders.ts"

export interface FileStoreOptions {
  /**
   * Where the files are; made by the first save, with all folders above it. One for each kind of session, on a local disk,
   * and private: who can write there decides what your sessions restore.
   */
  readonly directory: string
  /** The largest state that is taken, in bytes, roughly; text counts 2 for a character. 1 MiB; 1. */
  readonly maxBytes?: number | undefined
}

/** Milliseconds between two looks for what dead processes left. */
const sweepEvery = 60_000

/**
 * What is saved here outlives the process, also one ended by SIGKILL, and a power failure: a state is written aside, forced
 * to the disk and put in place by one rename. A process that dies meanwhile leaves the state before or the state after,
 * never a part of one. Compare-and-set holds between all processes of one machine that use the directory. It is not meant
 * for network file systems, which may carry out a rename twice, and has not been tried on Windows.
 *
 * A state comes back as `structuredClone` would give it; a Buffer comes back as a Buffer. A byte array may be a view of a
 * larger buffer. A record that a later version of Node wrote in a format of its own is `"Newer"`.
 *
 *     directory/<sha-256 of the key>/   one folder for each key
 *     directory/set-aside/              what could not be used: the last 100; nobody reads them but people
 *     directory/tmp/                    what is being made or removed
 *
 * Folders are made with mode 0700, files with 0600. Errors name the path and never the key; their `cause` is the error of
 * the file system.
 *
 * @throws SessionMisuse `InvalidOption`
 */
export const fileStore = (options: FileStoreOptions): SessionStore => {
  checkObject("options", options)
  resolveNames(options, ["directory", "maxBytes"])
  // Once: the working directory may change.
  const root = resolve(checkedText("directory", options.directory))
  const maxBytes = checkedMaxBytes(options.maxBytes)
  const tmp = join(root, "tmp")
  const aside = join(root, "set-aside")
  const folderOf = (key: string): string => join(root, nameOfKey(key))
  let swept = -Infinity

  const first = async (folder: string, bytes: Uint8Array): Promise<string | undefined> => {
    const saved = await begin(folder, tmp, bytes)
    const now = performance.now()
    if (now - swept >= sweepEvery) {
      swept = now
      await quietly(sweep(tmp))
    }
    return saved
  }

  const save = async (
    folder: string,
    bytes: Uint8Array,
    version: string | undefined,
  ): Promise<string | undefined> => {
    for (;;) {
      const seen = await look(folder)
      if (seen.version !== version) return undefined
      if (seen.kind === "damaged" && seen.from === undefined) await moveAside(folder, aside)
      const saved = await (seen.from === undefined
        ? first(folder, bytes)
        : replace(folder, seen.from, seen.files, bytes))
      // A version that is gone stays gone. But there may be nothing again, only in another way.
      if (saved !== undefined || version !== undefined) return saved
    }
  }

  return {
    load: (key) => telling("load", root, load(key, folderOf(key))),
    // Encoded now and not after the first wait: the state may change.
    save: async (key, state, version) => {
      checkState(state, maxBytes, "own")
      return telling("save", root, save(folderOf(key), encodeState(key, state), version))
    },
    remove: (key) => telling("remove", root, remove(folderOf(key), tmp)),
    setAside: (key, version) => telling("set aside", root, setAside(folderOf(key), aside, version)),
  }
}

const telling = async <A>(what: string, root: string, work: Promise<A>): Promise<A> => {
  try {
    return await work
  } catch (cause) {
    if (!(cause instanceof Error) || typeof codeOf(cause) !== "string") throw cause
    throw new Error(`Could not ${what} a session's state in ${root}: ${cause.message}`, { cause })
  }
}
