/** Why the program cannot start, in one line for whoever runs it. Printed without a stack trace; exit code 1. */
export class StartError extends Error {
  override name = 'StartError'
}
