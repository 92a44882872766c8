import { accessSync, constants } from 'node:fs'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import type { Scope } from './stores.ts'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** A real browser; `CHROMIUM_BIN` names one that lies elsewhere. */
export async function useBrowser(t: Scope): Promise<Browser> {
  const executablePath = process.env['CHROMIUM_BIN'] ?? places.find(isThere)
  if (executablePath === undefined) {
    throw new Error(
      'There is no Chromium: install it (apt-get install chromium), or name one with CHROMIUM_BIN',
    )
  }
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  t.teardown(() => browser.close())
  return browser
}

/** A window of a person with a history of their own, and everything that went wrong in it. */
export interface Window {
  readonly context: BrowserContext
  readonly page: Page
  /** Errors of scripts, and what the content policy has stopped. */
  readonly faults: readonly string[]
}

export async function openWindow(
  t: Scope,
  browser: Browser,
  options: { width?: number; locale?: string } = {},
): Promise<Window> {
  const { width = 1280, locale = 'en-US' } = options
  const context = await browser.newContext({ viewport: { width, height: width < 600 ? 780 : 900 }, locale })
  t.teardown(() => context.close())
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) faults.push(message.text())
  })
  page.setDefaultTimeout(120_000)
  return { context, page, faults }
}

function isThere(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
