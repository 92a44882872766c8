import { Buffer } from 'node:buffer'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { useS3 } from '../../../../test/support/s3-server.ts'
import { randomIds } from '../../../ids.ts'
import { PictureBucket } from './picture-bucket.ts'
import { PictureFolder } from './picture-folder.ts'
import type { PictureStorage } from './picture-storage.ts'

process.env['AWS_ACCESS_KEY_ID'] = 'S3RVER'
process.env['AWS_SECRET_ACCESS_KEY'] = 'S3RVER'
const region = 'us-east-1'
const [folder, objects] = [t.testdir({ folder: {}, objects: {} }), 'objects']
const { endpoint, bucket } = await useS3(t, join(folder, objects))
const inBucket = new PictureBucket({ bucket, prefix: 'a/b/', endpoint, region })
t.teardown(() => inBucket.close())

const inFolder = new PictureFolder(join(folder, 'folder', 'not there yet'), randomIds)

const storages: Readonly<Record<string, PictureStorage>> = {
  folder: inFolder,
  bucket: inBucket,
}

for (const [name, storage] of Object.entries(storages)) {
  t.test(`${name}: what is put is found, in each size, until it is removed`, async (t) => {
    const [one, other] = [randomIds.next('pic'), randomIds.next('pic')]
    t.equal(await storage.get(one, 'large'), undefined)
    const large = Buffer.alloc(300_000, 7)
    await storage.put(one, 'large', large)
    await storage.put(one, 'small', Buffer.from('small'))
    await storage.put(other, 'small', Buffer.from('other'))
    t.ok(Buffer.compare(large, (await storage.get(one, 'large')) ?? Buffer.alloc(0)) === 0)
    t.equal(Buffer.from((await storage.get(one, 'small')) ?? []).toString(), 'small')
    await storage.remove(one)
    t.equal(await storage.get(one, 'large'), undefined)
    t.equal(await storage.get(one, 'small'), undefined)
    await storage.remove(one)
    t.equal(Buffer.from((await storage.get(other, 'small')) ?? []).toString(), 'other')
  })
}

// S3 keeps this by itself; the server that stands for it here does not.
t.test('folder: two who put the same at once leave one of them whole', async (t) => {
  const id = randomIds.next('pic')
  const bodies = ['a', 'b', 'c', 'd'].map((letter) => Buffer.alloc(200_000, letter))
  await Promise.all(bodies.map((body) => inFolder.put(id, 'large', body)))
  const found = Buffer.from((await inFolder.get(id, 'large')) ?? [])
  t.ok(bodies.some((body) => Buffer.compare(body, found) === 0))
})

t.test('nothing half written is left in the folder', async (t) => {
  const names = await readdir(join(folder, 'folder', 'not there yet'))
  t.same(
    names.filter((name) => !/^pic_[0-9a-z]{20}\.(large|small)\.webp$/.test(name)),
    [],
  )
})

t.test('a bucket that is not there is an error, not a picture that is not there', async (t) => {
  const nowhere = new PictureBucket({ bucket: 'nowhere', prefix: '', endpoint, region })
  t.teardown(() => nowhere.close())
  await t.rejects(nowhere.get(randomIds.next('pic'), 'large'))
  await t.rejects(nowhere.put(randomIds.next('pic'), 'large', Buffer.from('x')))
})
