/** Raised when a client of the last version would misread what is sent now; new optional fields do not raise it. */
export const protocolVersion = 1
