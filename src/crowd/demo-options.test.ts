import t from 'tap'
import { demoHelp, parseDemoOptions, UsageError } from './demo-options.ts'

t.test('without options 200 buyers go to the server of this machine', (t) => {
  t.same(parseDemoOptions([]), {
    buyers: 200,
    saleId: undefined,
    urls: ['http://127.0.0.1:3000'],
    key: undefined,
    seed: 1,
    seconds: 600,
  })
  t.end()
})

t.test('several servers may be named', (t) => {
  const options = parseDemoOptions([
    '--url',
    'http://a:1',
    '--url',
    'https://b',
    '--buyers',
    '5',
    '--sale',
    'sal_1',
  ])
  t.match(options, { urls: ['http://a:1', 'https://b'], buyers: 5, saleId: 'sal_1' })
  t.end()
})

t.test('what is no option or no value is refused with a line that names it', (t) => {
  for (const [argv, name] of [
    [['--buyer', '5'], /--buyer/],
    [['--buyers', 'many'], /--buyers/],
    [['--buyers', '0'], /--buyers/],
    [['--buyers', '20001'], /--buyers/],
    [['--url', 'localhost:3000'], /--url/],
    [['--url', 'ftp://localhost'], /--url/],
    [['five'], /five/],
  ] as const) {
    t.throws(() => parseDemoOptions(argv), { name: UsageError.prototype.name, message: name }, argv.join(' '))
  }
  t.end()
})

t.test('help names every option', (t) => {
  t.equal(parseDemoOptions(['--help', '--buyers', '5']), 'help')
  for (const name of ['buyers', 'sale', 'url', 'key', 'seed', 'seconds', 'help'])
    t.match(demoHelp, `--${name} `)
  t.end()
})
