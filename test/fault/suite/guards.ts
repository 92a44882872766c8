import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectFolder } from '../../support/project-folder.ts'

/** Something that keeps a promise, how to take it out of the built program, and the faults that show that it is gone. */
export interface Guard {
  readonly name: string
  /** What is broken without it: it counts as caught where one of them is. */
  readonly promises: readonly number[]
  readonly edits: readonly { readonly file: string; readonly from: string; readonly to: string }[]
  /** Takes a guard out of the database. */
  readonly statement?: string
  /** None: a crowd alone shows it. */
  readonly faults: readonly string[]
  /** So many faults at a time; one unless told. */
  readonly together?: number
  /** So often it is tried at the most. */
  readonly rounds: number
}

export const builtProgram = join(projectFolder, 'build')
/** What the program finds beside its folder. */
const beside = ['node_modules', 'package.json', 'public']

/** A copy of the built program without a guard. */
export async function takeOut(guard: Guard): Promise<ProgramCopy> {
  const changed = await withoutGuard(guard)
  const copy = await copyProgram()
  for (const [file, text] of changed) await writeFile(join(copy.program, file), text)
  return copy
}

/** Files of the built program, by their paths in it, without a guard. Throws where an edit fits the program no more. */
export async function withoutGuard({ name, edits }: Guard): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  for (const { file, from, to } of edits) {
    const text = texts.get(file) ?? (await readFile(join(builtProgram, file), 'utf8'))
    if (!text.includes(from)) throw new Error(`the guard ${name} cannot be taken out: ${file} has no ${from}`)
    texts.set(
      file,
      text.replace(from, () => to),
    )
  }
  return texts
}

export interface ProgramCopy {
  readonly program: string
  readonly remove: () => Promise<void>
}

/** A copy of the built program, which stays as it is though the program is built anew meanwhile. */
export async function copyProgram(): Promise<ProgramCopy> {
  const folder = await mkdtemp(join(tmpdir(), 'openrun-program-'))
  const program = join(folder, 'build')
  await cp(builtProgram, program, { recursive: true })
  for (const name of beside) await symlink(join(projectFolder, name), join(folder, name))
  return { program, remove: () => rm(folder, { recursive: true, force: true }) }
}
