import { Buffer } from 'node:buffer'
import sharp from 'sharp'
import t from 'tap'
import { PictureMaking } from './picture-making.ts'

const making = new PictureMaking()
const plain = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#5a3df0' } })

t.test('a picture of each sort becomes WebP in two sizes', async (t) => {
  for (const format of ['jpeg', 'png', 'webp'] as const) {
    const { webp, width, height } = await making.make(await plain(3200, 1600).toFormat(format).toBuffer())
    t.same({ width, height }, { width: 1600, height: 800 }, format)
    t.match(await sharp(webp.large).metadata(), { format: 'webp', width: 1600, height: 800 })
    t.match(await sharp(webp.small).metadata(), { format: 'webp', width: 480, height: 240 })
  }
})

t.test('a small picture is not made larger', async (t) => {
  const { webp, width, height } = await making.make(await plain(30, 20).png().toBuffer())
  t.same({ width, height }, { width: 30, height: 20 })
  t.match(await sharp(webp.small).metadata(), { width: 30, height: 20 })
})

t.test('where it was taken goes, and it stands the right way up', async (t) => {
  const bytes = await plain(200, 100)
    .withExif({ IFD0: { Copyright: 'somebody' }, IFD3: { GPSLatitude: '37/1 32/1 0/1' } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer()
  t.ok((await sharp(bytes).metadata()).exif, 'it came with something')
  const { webp, width, height } = await making.make(bytes)
  t.same({ width, height }, { width: 100, height: 200 })
  for (const size of ['large', 'small'] as const) {
    const { exif, orientation } = await sharp(webp[size]).metadata()
    t.same({ exif, orientation }, { exif: undefined, orientation: undefined })
  }
})

t.test('what is no picture is refused, whatever it is called', async (t) => {
  const whole = await plain(400, 400).jpeg().toBuffer()
  const gif = await plain(10, 10).gif().toBuffer()
  const moving = await sharp([whole, await plain(400, 400).negate().png().toBuffer()], {
    join: { animated: true },
  })
    .webp()
    .toBuffer()
  const bad: Readonly<Record<string, Uint8Array>> = {
    nothing: Buffer.alloc(0),
    text: Buffer.from('<html>hello</html>'),
    drawing: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script/></svg>'),
    gif,
    'cut off': whole.subarray(0, whole.length - 400),
    'only a head': whole.subarray(0, 20),
    moving,
  }
  for (const [name, bytes] of Object.entries(bad)) {
    await t.rejects(making.make(bytes), { code: 'not_a_picture' }, name)
  }
})

t.test('a small file that unfolds to a huge picture is not unfolded', async (t) => {
  const bomb = await plain(8000, 8000).png({ compressionLevel: 9 }).toBuffer()
  t.ok(bomb.length < 1_000_000, `${bomb.length} bytes`)
  await t.rejects(making.make(bomb), { code: 'not_a_picture' })
})

t.test('more at once than can be worked on wait, and more than can wait are refused', async (t) => {
  const bytes = await plain(900, 900).jpeg().toBuffer()
  const busy = new PictureMaking()
  const made = await Promise.allSettled(Array.from({ length: 20 }, () => busy.make(bytes)))
  t.equal(made.filter(({ status }) => status === 'fulfilled').length, 16)
  for (const one of made) if (one.status === 'rejected') t.match(one.reason, { code: 'pictures_busy' })
  t.ok(await busy.make(bytes), 'and afterwards there is room again')
})
