/** @import { GuestAnswer } from '../../src/domain/accounts/account-messages.ts' */
import { kept, keep } from './kept.js'
import { problemOf } from './problem.js'

/**
 * The account of this browser. Its token is a cookie that no script can read, so beside it is kept until when it is
 * good; if that is wrong the server answers 401 and a new guest is made.
 */

/** @type {Promise<void> | undefined} */
let underWay

export function hasAccount() {
  return Date.parse(expiresAt()) > Date.now()
}

/** Resolves when this browser has an account. */
export async function haveAccount() {
  if (!hasAccount()) await becomeGuest({ instead: false })
}

/**
 * Makes this browser a guest, once, however many parts of the page and tabs ask for it at the same time: a second
 * account would stand in line a second time, and the first would lose its place.
 * @param {{ instead: boolean }} options `instead` of an account that the server does not know any more
 * @returns {Promise<void>}
 */
export function becomeGuest({ instead }) {
  const before = expiresAt()
  underWay ??= inTurn(async () => {
    // Another tab was quicker.
    if (expiresAt() !== before || (!instead && hasAccount())) return
    const response = await fetch('/api/v1/auth/guest', { method: 'POST', credentials: 'same-origin' })
    if (!response.ok) throw await problemOf(response)
    const guest = /** @type {GuestAnswer} */ (await response.json())
    keep('account', { expiresAt: guest.expiresAt })
  }).finally(() => (underWay = undefined))
  return underWay
}

function expiresAt() {
  const account = /** @type {{ expiresAt?: string } | undefined} */ (kept('account'))
  return account?.expiresAt ?? ''
}

/** One tab after another, where the browser can do that. @param {() => Promise<void>} work */
async function inTurn(work) {
  if (navigator.locks === undefined) return await work()
  await navigator.locks.request('openrun.account', work)
}
