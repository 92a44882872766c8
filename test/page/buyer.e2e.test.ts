import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import t from 'tap'
import { systemTime } from '../../src/client/client-ports.ts'
import { runCrowd } from '../../src/crowd/crowd.ts'
import { keepAliveFetch } from '../../src/crowd/keep-alive-fetch.ts'
import { NodeSocket } from '../../src/crowd/node-socket.ts'
import { isKept } from '../../src/crowd/verdict.ts'
import { openWindow, useBrowser } from '../support/browser.ts'
import { useFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

/** What keeps people out who hear or feel the page instead of seeing it. */
async function violations(page: Page): Promise<string[]> {
  // What is on its way from one look to another is judged as it will be.
  await page.emulateMedia({ reducedMotion: 'reduce' })
  const found = await new AxeBuilder({ page }).analyze()
  await page.emulateMedia({ reducedMotion: null })
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`)
}

const hall = {
  priceClasses: [{ name: 'Regular', priceMinor: 1000 }],
  sections: [{ code: 'A', rows: 20, seatsPerRow: 30, priceClass: 'Regular' }],
}

t.test('from the list of sales to the ticket, while two hundred others want seats too', async (t) => {
  const fleet = await useFleet(t)
  const server = await fleet.start({ OPENRUN_GUESTS_PER_MINUTE: '100000' })
  const title = 'A night in a browser'
  const sale = await server.sale({ title, hall, queue: { ratePerMinute: 600, maxActive: 60 } })
  const browser = await useBrowser(t)
  const { page, faults } = await openWindow(t, browser)

  await page.goto(server.url)
  await page.getByRole('link', { name: new RegExp(title) }).click()
  const crowd = runCrowd({
    urls: [server.url],
    organiserKey: server.organiserKey,
    buyers: 200,
    saleId: sale,
    seed: 7,
    fetch: keepAliveFetch({ connectionsMax: 64 }).fetch,
    WebSocket: NodeSocket,
    time: systemTime,
    signal: new AbortController().signal,
  })
  await until('others stand in line', async () => (await fleet.redis.zcard(`{${sale}}:queue`)) > 5)
  await page.getByRole('button', { name: 'Join the line' }).click()

  // The line visibly moves, and ends inside.
  const position = page.locator('[data-position]')
  await position.waitFor()
  const first = Number(await position.getAttribute('data-position'))
  // Until the first word of the line has come, and whenever the connection is lost, the figure is faint.
  await page.locator('[data-position]:not(.old)').waitFor()
  t.same(await violations(page), [], 'the waiting room can be used without seeing it')
  t.ok(first > 1, `there are others in front: ${first}`)
  const reserve = page.getByRole('button', { name: 'Reserve the best' })
  await reserve.waitFor()

  // Others' choices appear while one looks.
  await page
    .getByRole('img', { name: /map of the hall/i })
    .or(page.locator('canvas'))
    .first()
    .waitFor()
  t.same(await violations(page), [], 'the hall can be used without seeing it')
  await reserve.click()
  await page.getByRole('heading', { name: 'Reserved for you' }).waitFor()
  await page.getByRole('button', { name: /^Pay/ }).click()
  await page.getByText('Yours!').waitFor()
  t.equal(await page.locator('.qr').count(), 2, 'a code for each of two seats')

  await page.getByRole('link', { name: 'To my orders' }).first().click()
  await page.getByText(title).first().waitFor()
  const report = await crowd
  t.ok(isKept(report.verdict), 'the promises were kept to everybody else')
  t.same(faults, [])
})
