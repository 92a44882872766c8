// Writes the documents that follow from the code: `npm run docs`.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { documents } from './documents.ts'

for (const [path, text] of documents()) {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  console.log(path)
}
