import { execFileSync } from 'node:child_process'

/** A certificate that vouches for itself, for a day, and its key, both PEM. */
export function selfSigned(host: string): { readonly certificate: string; readonly key: string } {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc']
  const names = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`]
  const request = ['req', '-x509', '-days', '1', ...curve, ...names, '-keyout', '-', '-out', '-']
  const pem = execFileSync('openssl', request, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const [key = '', certificate = ''] = pem.match(/-----BEGIN [^]+?-----END [A-Z ]+-----\n/g) ?? []
  return { key, certificate }
}
