import t from 'tap'
import { errorCatalogue } from '../../src/error-catalogue.ts'
import { documents } from '../../tools/documents.ts'
import { assembledErrors, documentedErrors, documentLinks, freshDocuments } from './document-rules.ts'
import { importDirection, importEndings, pureFiles, pureImports } from './import-rules.ts'
import { fileLength, fileNames, lengthRatchet, migrationNames, noBarrels } from './layout-rules.ts'
import { boundedScripts, scriptBindings, scriptHeaders } from './script-rules.ts'
import { readTree, type Rule } from './tree.ts'
import { bannedWords } from './word-rules.ts'

/** What holds for every file of the house; each rule is broken on purpose in `tidy-rules.test.ts`. */
const rules: Readonly<Record<string, Rule>> = {
  'no file is longer than the wall': fileLength,
  'the number of long files does not grow': lengthRatchet,
  'files are named in kebab-case and folders by meaning': fileNames,
  'migrations are numbered and named': migrationNames,
  'no file only hands on what others export': noBarrels,
  'imports point one way': importDirection,
  'pure files import only pure files': pureImports,
  'imports name their file in full': importEndings,
  'no banned words': bannedWords,
  'every script has a header': scriptHeaders,
  'every script is bound once': scriptBindings,
  'no script searches all of Redis': boundedScripts,
  'every list of errors is in the catalogue': assembledErrors,
  'every error code is documented, and no other': documentedErrors(errorCatalogue),
  'generated documents are fresh': freshDocuments(documents()),
  'links in the documents lead somewhere': documentLinks,
}

const tree = readTree()

t.test('the tree is read as a whole', async (t) => {
  const paths = new Set(tree.map(({ path }) => path))
  for (const path of ['src/main.ts', 'src/db/local/free-port.ts', 'README.md', '.ci/run', ...pureFiles])
    t.ok(paths.has(path), path)
})

for (const [name, rule] of Object.entries(rules)) {
  t.test(name, async (t) => {
    t.same(rule(tree), [])
  })
}
