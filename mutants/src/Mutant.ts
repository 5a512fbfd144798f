/** A change that leaves one rule out. A suite that stays green with it does not prove that rule. */

export interface Edit {
  /** Below the package's folder. */
  readonly file: string
  /** Occurs exactly once in it. */
  readonly find: string
  readonly replace: string
}

export interface Mutant {
  /** The rule that is left out and, in brackets, what then goes wrong first. */
  readonly name: string
  readonly laws: ReadonlyArray<string>
  readonly edits: ReadonlyArray<Edit>
  /** Test files that should fail, below the package's `test` folder. */
  readonly tests: ReadonlyArray<string>
  /** Why no test can tell the difference. Such a mutant is listed and not run. */
  readonly equivalent?: string
}

export interface Group {
  readonly title: string
  readonly mutants: ReadonlyArray<Mutant>
}

/** An edit of `src/<file>`. */
export const edit = (file: string, find: string, replace: string): Edit => ({
  file: `src/${file}`,
  find,
  replace,
})

/** Test files of both faces, by their subjects. */
export const both = (...subjects: ReadonlyArray<string>): ReadonlyArray<string> =>
  subjects.map((subject) => `both/${subject}.test.ts`)
