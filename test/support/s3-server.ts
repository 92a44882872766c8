import { createRequire } from 'node:module'
import type { Scope } from './stores.ts'

interface Server {
  run(): Promise<{ port: number }>
  close(): Promise<void>
}
type ServerClass = new (options: {
  port: number
  address: string
  silent: boolean
  directory: string
  configureBuckets: readonly { name: string }[]
}) => Server

/** It brings no types. */
const S3rver = createRequire(import.meta.url)('s3rver') as ServerClass

/** A server that speaks S3, with one bucket; who asks is `S3RVER`, with the same secret. */
export async function useS3(t: Scope, folder: string): Promise<{ endpoint: string; bucket: string }> {
  const bucket = 'pictures'
  const options = { port: 0, address: '127.0.0.1', silent: true, directory: folder }
  const server = new S3rver({ ...options, configureBuckets: [{ name: bucket }] })
  const { port } = await server.run()
  t.teardown(() => server.close())
  return { endpoint: `http://127.0.0.1:${port}`, bucket }
}
