// tsc copies no data files: the Lua scripts and the SQL migrations go beside the compiled code that reads them.
// node tools/copy-assets.mjs FOLDER: where `src` was compiled to.
import { statSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { extname } from 'node:path'

const kept = new Set(['.lua', '.sql', '.json'])
const [folder = 'build'] = process.argv.slice(2)

await cp('src', folder, {
  recursive: true,
  filter: (path) => statSync(path).isDirectory() || kept.has(extname(path)),
})
