import t, { type Test } from 'tap'
import { benchHelp, parseBenchOptions, UsageError, type BenchPlan } from '../../bench/bench-options.ts'
import { defineQuestion, type Question } from '../../bench/question.ts'
import { questions as realQuestions } from '../../bench/all-questions.ts'

const count = { quick: 10, full: 1000, least: 1, most: 5000 }

function questionOf(name: string, options: readonly string[]): Question {
  return defineQuestion({
    name,
    about: `what ${name} asks`,
    options: Object.fromEntries(options.map((option) => [option, { about: `the ${option}`, ...count }])),
    ask: async () => ({ sides: [], rows: [], checks: [], windows: [] }),
  })
}

const questions = [questionOf('walk', ['steps', 'legs']), questionOf('swim', ['strokes', 'steps'])]

function planOf(...argv: string[]): BenchPlan {
  const plan = parseBenchOptions(argv, questions)
  if (plan === 'help') throw new Error('this was no call for help')
  return plan
}

function valuesOf({ asked }: BenchPlan) {
  return asked.map(({ question, values }) => [question.name, values])
}

function refuses(t: Test, argv: readonly string[], message: RegExp): void {
  try {
    parseBenchOptions(argv, questions)
    t.fail(`${argv.join(' ')} was taken`)
  } catch (error) {
    t.ok(error instanceof UsageError, 'it is the user who is told')
    t.match((error as Error).message, message)
  }
}

void t.test('without a question all are asked, by the figures of the quick form', async (t) => {
  const plan = planOf()
  t.same(valuesOf(plan), [
    ['walk', { steps: 10, legs: 10 }],
    ['swim', { strokes: 10, steps: 10 }],
  ])
  t.equal(plan.form, 'quick')
  t.equal(plan.isWhole, true)
  t.equal(plan.profile, false)
})

void t.test('the full form goes by the full figures, but for those that are given', async (t) => {
  const plan = planOf('--full', '--legs', '4')
  t.same(valuesOf(plan)[0], ['walk', { steps: 1000, legs: 4 }])
  t.equal(plan.form, 'full')
})

void t.test('several questions are asked in their usual order, and do not stand for the whole', async (t) => {
  const plan = planOf('swim', 'walk', '--steps', '7')
  t.same(valuesOf(plan), [
    ['walk', { steps: 7, legs: 10 }],
    ['swim', { strokes: 10, steps: 7 }],
  ])
  t.equal(plan.isWhole, false)
  t.same(valuesOf(planOf('swim')), [['swim', { strokes: 10, steps: 10 }]])
})

void t.test('what there is not is refused', async (t) => {
  refuses(t, ['fly'], /no question fly/)
  refuses(t, ['walk', 'fly'], /no question fly/)
  refuses(t, ['--wings', '2'], /--wings/)
})

void t.test('an option that means nothing to what is asked is refused', async (t) => {
  refuses(t, ['swim', '--legs', '2'], /--legs means nothing to swim/)
  t.same(valuesOf(planOf('walk', 'swim', '--legs', '2'))[0], ['walk', { steps: 10, legs: 2 }])
})

void t.test('a figure out of range, or none, is refused with its range', async (t) => {
  for (const steps of ['0', '5001', 'many', '', 'NaN', 'Infinity'])
    refuses(t, ['walk', `--steps=${steps}`], /walk --steps is a number from 1 to 5000/)
  const still = { rests: { about: 'the rests', quick: 1, full: 1, least: 0, most: 9 } }
  const restful: Question = { ...questionOf('sit', []), options: still }
  t.throws(() => parseBenchOptions(['--rests='], [restful]), UsageError, 'nothing is not zero')
  for (const steps of [1, 5000])
    t.same(valuesOf(planOf('walk', `--steps=${steps}`)), [['walk', { steps, legs: 10 }]])
})

void t.test('help tells every question and every option with both of its figures', async (t) => {
  t.equal(parseBenchOptions(['--help'], questions), 'help')
  const help = benchHelp(questions)
  for (const words of ['walk: what walk asks', 'swim: what swim asks', '--strokes N', '(10, full 1000)'])
    t.ok(help.includes(words), words)
})

void t.test('what is really asked can be asked in both forms', async (t) => {
  for (const form of [[], ['--full']]) {
    const plan = parseBenchOptions(form, realQuestions)
    if (plan === 'help') throw new Error('this was no call for help')
    for (const { question, values } of plan.asked)
      for (const [option, { least, most }] of Object.entries(question.options)) {
        const value = values[option] ?? Number.NaN
        t.ok(value >= least && value <= most, `${question.name} --${option} ${value}`)
      }
  }
  const names = realQuestions.map(({ name }) => name)
  t.equal(new Set(names).size, names.length, 'each has a name of its own')
})
