import { isIP } from 'node:net'

export interface AddressSource {
  /** As the server writes it: dotted, or eight groups of four hexadecimal digits. */
  readonly socketAddress: string
  /** The header X-Forwarded-For, empty when absent. */
  readonly forwardedFor: string
  /** How many proxies of ours stand before the server; each has added one address at the right end. */
  readonly trustedHops: number
}

/** The client's address. What the client itself wrote into X-Forwarded-For stands to the left of what is believed. */
export function clientAddress({ socketAddress, forwardedFor, trustedHops }: AddressSource): string {
  const direct = readableAddress(socketAddress)
  if (trustedHops === 0 || forwardedFor === '') return direct
  const hops = forwardedFor.split(',')
  const told = hops.at(-Math.min(trustedHops, hops.length))?.trim() ?? ''
  return isIP(told) === 0 ? direct : told
}

const mappedIPv4 = /^(?:0000:){5}ffff:([0-9a-f]{2})([0-9a-f]{2}):([0-9a-f]{2})([0-9a-f]{2})$/

/** IPv4 as seen by a socket that listens on both kinds is brought back to its dotted form. */
function readableAddress(address: string): string {
  const mapped = mappedIPv4.exec(address)
  if (!mapped) return address
  return mapped
    .slice(1)
    .map((byte) => Number.parseInt(byte, 16))
    .join('.')
}
