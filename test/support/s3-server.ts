import S3rver from 's3rver'
import type { Scope } from './stores.ts'

/** A server that speaks S3, with one bucket; who asks is `S3RVER`, with the same secret. */
export async function useS3(t: Scope, folder: string): Promise<{ endpoint: string; bucket: string }> {
  const bucket = 'pictures'
  const options = { port: 0, address: '127.0.0.1', silent: true, directory: folder }
  const server = new S3rver({ ...options, configureBuckets: [{ name: bucket }] })
  const { port } = await server.run()
  t.teardown(() => server.close())
  return { endpoint: `http://127.0.0.1:${port}`, bucket }
}
