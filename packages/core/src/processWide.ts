/**
 * One value of this name in the process, made by who asks first: two copies of this package still share one process. Its
 * shape is a promise from one version to the next.
 */
export const processWide = <A>(name: string, make: () => A): A => {
  const shared = globalThis as unknown as { [slot: symbol]: A | undefined }
  return (shared[Symbol.for(`@sojourn/core/${name}`)] ??= make())
}
