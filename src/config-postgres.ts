import { url } from './config-values.ts'
import { wrongOfEncryption } from './db/postgres-tls.ts'

/** The address of a database, and how connections to it are encrypted. */
export function postgresUrl() {
  return url('postgres:', 'postgresql:').superRefine((text, context) => {
    const message = wrongOfEncryption(text)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })
}
