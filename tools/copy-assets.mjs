// tsc copies no data files: the Lua scripts and the SQL migrations go beside the code that reads them.
import { statSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { extname } from 'node:path'

const kept = new Set(['.lua', '.sql', '.json'])

await cp('src', 'build', {
  recursive: true,
  filter: (path) => statSync(path).isDirectory() || kept.has(extname(path)),
})
