import t from 'tap'
import { statementsOf } from '../../bench/measure/postgres-statements.ts'

void t.test('statements of others are counted by their text, over as many lines as they take', async (t) => {
  const log = [
    'openrun one|LOG:  execute pq12/1: select id\n\t\tfrom sales\n\twhere id = $1',
    "openrun one|DETAIL:  Parameters: $1 = 'sal_1'",
    'openrun two|LOG:  execute <unnamed>: select id from sales where id = $1',
    'openrun two|LOG:  statement: begin',
    'openrun two|LOG:  execute pq2/1: insert into a ("b","c")values($1,$2),($3,$4) on conflict do nothing',
    'openrun two|LOG:  execute pq2/1: insert into a ("b","c")values($1,$2) on conflict do nothing',
    'bench|LOG:  execute pq1/1: select 1',
    '|LOG:  checkpoint starting: time',
    '2026-01-01 00:00:00.000 UTC [1] LOG:  statement: begin',
    '',
  ].join('\n')
  const { total, byText } = statementsOf(log)
  t.equal(total, 5)
  t.same(Object.fromEntries(byText), {
    'select id from sales where id = $1': 2,
    begin: 1,
    'insert into a ("b","c")values(…) on conflict do nothing': 2,
  })
})
