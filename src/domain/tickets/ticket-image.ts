/** A correction that survives a scratched screen, and the quiet zone that the standard asks for. */
const options = { errorCorrectionLevel: 'M', margin: 4 } as const

/** A QR code as an SVG document that scales to any size. */
export async function ticketSvg(code: string): Promise<string> {
  const { default: qrcode } = await encoder()
  return await qrcode.toString(code, { ...options, type: 'svg' })
}

/** A QR code as a PNG with 8 pixels a module. */
export async function ticketPng(code: string): Promise<Buffer> {
  const { default: qrcode } = await encoder()
  return await qrcode.toBuffer(code, { ...options, type: 'png', scale: 8 })
}

/** Loaded with the first ticket that is shown: a server at rest needs no memory for it. */
const encoder = () => import('qrcode')
