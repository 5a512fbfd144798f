/** Of this package: the version of its instrumentation scope. A test holds it equal to the manifest's. */
export const version = "0.0.0"
