import type { ErrorDefinition } from '../../src/errors.ts'
import type { Rule } from './tree.ts'

/** Every code stands in the document, and the document names no code that is gone. */
export function documentedErrors(catalogue: readonly ErrorDefinition[]): Rule {
  return (files) => {
    const text = files.find(({ path }) => path === 'docs/ERRORS.md')?.text ?? ''
    const documented = [...text.matchAll(/<a id="([^"]+)">/g)].map(([, code = '']) => code)
    const codes = catalogue.map(({ code }) => code)
    return [
      ...codes.filter((code) => !documented.includes(code)).map((code) => `docs/ERRORS.md: lacks ${code}`),
      ...documented.filter((code) => !codes.includes(code)).map((code) => `docs/ERRORS.md: ${code} is gone`),
    ]
  }
}

/** Every list of errors is part of the catalogue. */
export const assembledErrors: Rule = (files) => {
  const catalogue = files.find(({ path }) => path === 'src/error-catalogue.ts')?.text ?? ''
  return files
    .filter(({ path }) => /^src\/.*\.ts$/.test(path) && !path.endsWith('.test.ts'))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/^export const (\w+) = defineErrors\(/gm)]
        .filter(([, list]) => !new RegExp(`\\b${list}\\b`).test(catalogue))
        .map(([, list]) => `${path}: ${list} is not in the catalogue`),
    )
}

/** What is written from the code is what the code would write now. */
export function freshDocuments(documents: ReadonlyMap<string, string>): Rule {
  return (files) =>
    [...documents]
      .filter(([path, text]) => files.find((file) => file.path === path)?.text !== text)
      .map(([path]) => `${path}: is out of date; run npm run docs`)
}

/** Links of the documents to files of the project lead somewhere. */
export const documentLinks: Rule = (files) => {
  const known = new Set(files.map(({ path }) => path))
  return files
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap(({ path, text }) => {
      const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/') + 1) : ''
      return [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map(([, target = '']) => new URL(target, `file:///${folder}`).pathname.slice(1))
        .filter((target) => !known.has(target) && !target.endsWith('/') && target !== 'LICENSE')
        .map((target) => `${path}: there is no ${target}`)
    })
}
