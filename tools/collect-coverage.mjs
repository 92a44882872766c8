// Imported before a test: writes down which code of ours it went through. What it was compiled from is found later.
import { mkdirSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const ours = pathToFileURL(join(process.cwd(), '.tests', 'src')).href
const folder = join('.tap', 'coverage')

const session = new Session()
session.connect()
session.post('Profiler.enable')
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
process.once('exit', () => {
  session.post('Profiler.takePreciseCoverage', (error, { result }) => {
    if (error) throw error
    mkdirSync(folder, { recursive: true })
    const covered = result.filter(({ url }) => url.startsWith(`${ours}/`))
    writeFileSync(join(folder, `${process.pid}-${Date.now()}.json`), JSON.stringify({ result: covered }))
  })
})
