import qrcode from 'qrcode'

/** A correction that survives a scratched screen, and the quiet zone that the standard asks for. */
const options = { errorCorrectionLevel: 'M', margin: 4 } as const

/** A QR code as an SVG document that scales to any size. */
export function ticketSvg(code: string): Promise<string> {
  return qrcode.toString(code, { ...options, type: 'svg' })
}

/** A QR code as a PNG with 8 pixels a module. */
export function ticketPng(code: string): Promise<Buffer> {
  return qrcode.toBuffer(code, { ...options, type: 'png', scale: 8 })
}
