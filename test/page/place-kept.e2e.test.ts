import t from 'tap'
import { useCuttableProxy } from '../support/cuttable-proxy.ts'
import { openWindow, useBrowser } from '../support/browser.ts'
import { lineUp, useFleet } from '../support/fleet.ts'
import { api } from '../support/contract.ts'

t.test('a place in line survives a cut, a server that dies, and a reload', async (t) => {
  const fleet = await useFleet(t)
  const server = await fleet.start()
  const sale = await server.sale()
  // Nobody is let in meanwhile, so that a position means one thing.
  await server.change(sale, { status: 'paused' })
  const others = await lineUp(sale, 5, [server])
  const proxy = await useCuttableProxy(t, server.url)
  const { page, faults } = await openWindow(t, await useBrowser(t), { width: 360 })
  await page.goto(`${new URL(proxy.url).origin}/sale?sale=${sale}`)
  await page.getByRole('button', { name: 'Join the line' }).click()
  const standsAt = (position: number) => page.locator(`[data-position="${position}"]`).waitFor()
  const isLive = () => page.locator('[data-connection="open"]').waitFor()
  await standsAt(6)

  proxy.cut()
  await page.locator('[data-connection="lost"]').waitFor()
  await standsAt(6)
  t.match(await page.locator('.banner').textContent(), /No connection/, 'it says what it knows')
  for (const other of others.slice(0, 2)) await other.call('DELETE', `${api}/sales/${sale}/queue/me`)
  proxy.open()
  await isLive()
  await standsAt(4)
  t.pass('and is right when it is back')

  await server.process.kill()
  await page.locator('[data-connection="lost"]').waitFor()
  proxy.cut()
  // Somewhere else, as behind a balancer.
  proxy.open((await fleet.start()).url)
  await isLive()
  await standsAt(4)
  await page.reload()
  await standsAt(4)

  // Another tab of the same person has the same place, not one more.
  const tab = await page.context().newPage()
  await tab.goto(page.url())
  await tab.locator('[data-position="4"]').waitFor()
  t.equal(await fleet.redis.zcard(`{${sale}}:queue`), 4)
  t.same(faults, [])
})
