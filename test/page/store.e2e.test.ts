import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import t from 'tap'
import { openWindow, useBrowser } from '../support/browser.ts'
import { api, at } from '../support/contract.ts'
import { useFleet } from '../support/fleet.ts'
import { registerStore } from '../support/new-store.ts'
import { until } from '../support/until.ts'

/** What keeps people out who hear or feel the page instead of seeing it. */
async function violations(page: Page): Promise<string[]> {
  // What is on its way from one look to another is judged as it will be.
  await page.emulateMedia({ reducedMotion: 'reduce' })
  const found = await new AxeBuilder({ page }).analyze()
  await page.emulateMedia({ reducedMotion: null })
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`)
}

t.test('a visitor finds a store, talks to somebody at another server, and books an hour once', async (t) => {
  const fleet = await useFleet(t)
  const [first, second] = [await fleet.start(), await fleet.start()]
  const token = first.organiserKey
  const storeId = await registerStore(first, {
    name: '성수 문구점',
    description: '**Ink** <script>alert(1)</script>',
  })
  await registerStore(first, { name: '구름 빵집' })
  const sale = {
    kind: 'slots',
    store: storeId,
    title: 'Hours at the stationer',
    currency: 'KRW',
    opensAt: new Date(Date.now() - 1000).toISOString(),
    closesAt: new Date(Date.now() + 3_600_000).toISOString(),
    queue: { graceSeconds: 3600 },
    slots: { dates: ['2027-03-01', '2027-03-02'], hours: ['11:00', '12:00'], priceMinor: 0 },
  }
  t.equal((await first.call('POST', `${api}/sales`, { token, body: sale })).status, 201)
  const browser = await useBrowser(t)
  const [here, there] = [
    await openWindow(t, browser),
    await openWindow(t, browser, { width: 360, locale: 'ko-KR' }),
  ]

  const { page } = here
  await page.goto(`${first.url}/stores`)
  await page.getByRole('searchbox', { name: 'Find by name' }).fill('ㅅㅅㅁ')
  await until('one is found', async () => (await page.locator('.store-card').count()) === 1)
  t.same(await violations(page), [], 'the list can be used without seeing it')
  await page.getByRole('link', { name: /성수 문구점/ }).click()
  await page.getByRole('heading', { name: '성수 문구점' }).waitFor()
  t.equal(await page.locator('.store-text strong').textContent(), 'Ink')
  t.same(await violations(page), [], 'so can the store')

  // Two people, two servers, one room.
  await there.page.goto(`${second.url}/store?store=${storeId}`)
  await there.page.getByRole('textbox', { name: '메시지' }).fill('안녕하세요 https://stationer.example/')
  await there.page.getByRole('button', { name: '보내기' }).click()
  await page.getByRole('log').getByText('안녕하세요').waitFor()
  t.equal(
    await page.getByRole('link', { name: 'https://stationer.example/' }).getAttribute('rel'),
    'noopener noreferrer nofollow ugc',
  )
  await page.getByRole('textbox', { name: 'Message' }).fill('Hello back')
  await page.keyboard.press('Enter')
  await there.page.getByRole('log').getByText('Hello back').waitFor()
  await until('both are counted', async () => (await page.getByText('2 here').count()) === 1)

  // What the organiser removes goes from both.
  const said = await first.call('GET', `${api}/stores/${storeId}/messages`)
  const seq = String(at(said.body, 'items.0.seq'))
  t.equal((await second.call('DELETE', `${api}/stores/${storeId}/messages/${seq}`, { token })).status, 204)
  await page.getByRole('log').getByText('This message was removed.').waitFor()
  await there.page.getByText('Hello back').waitFor({ state: 'detached' })

  await page.getByRole('link', { name: /Hours at the stationer/ }).click()
  await page.getByRole('button', { name: 'Join the line' }).click()
  await page.getByRole('button', { name: /11:00/ }).first().click()
  await page.getByRole('button', { name: /^Book/ }).click()
  await page.getByText('Yours!').waitFor()
  t.equal(await page.locator('.qr').count(), 1)
  await page.getByRole('button', { name: 'Choose more' }).click()
  t.ok(await page.getByRole('button', { name: /Mar 1 11:00/ }).isDisabled(), 'that hour is had')
  t.same([...here.faults, ...there.faults], [])
})
