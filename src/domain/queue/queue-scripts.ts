import { loadScript } from '../../db/script.ts'

const here = import.meta.url

/** What lua/line.lua needs. */
const lineKeys = ['queue', 'gone', 'moves'] as const

export const queueJoin = loadScript(here, 'lua/queue-join.lua', {
  keys: ['state', ...lineKeys, 'seen', 'aside', 'aside_places', 'active', 'granting', 'bought'],
  args: ['epoch', 'run_id', 'accounts'],
})

export const queueLeave = loadScript(here, 'lua/queue-leave.lua', {
  keys: [
    'state',
    ...lineKeys,
    'seen',
    'aside',
    'aside_places',
    'active',
    'ends',
    'granting',
    'closing',
    'left',
    'next',
    'spare',
    'places',
    'accounts',
    'holds',
    'hold_ends',
    'pinned',
    'holding',
  ],
  args: ['epoch', 'run_id', 'account'],
})

export const queueStanding = loadScript(here, 'lua/queue-standing.lua', {
  keys: ['state', 'queue', 'aside', 'aside_places', 'active', 'granting'],
  args: ['epoch', 'run_id', 'accounts'],
})

export const queueRestore = loadScript(here, 'lua/queue-restore.lua', {
  keys: ['state', ...lineKeys, 'aside_places', 'active', 'restored'],
  args: ['epoch', 'run_id', 'edge', 'last', 'waiters'],
})

export const queuePresent = loadScript(here, 'lua/queue-present.lua', {
  keys: ['state', ...lineKeys, 'seen', 'aside', 'aside_places'],
  args: ['epoch', 'run_id', 'accounts'],
})

export const queueLine = loadScript(here, 'lua/queue-line.lua', {
  keys: ['state', 'queue'],
  args: ['epoch', 'run_id', 'after', 'limit'],
})

export const admissionAdmit = loadScript(here, 'lua/admission-admit.lua', {
  keys: [
    'state',
    ...lineKeys,
    'seen',
    'aside',
    'aside_places',
    'active',
    'ends',
    'granting',
    'closing',
    'pace',
    'holding',
    'holds',
    'restored',
  ],
  args: ['epoch', 'run_id', 'fence', 'batch', 'factor'],
})

export const admissionConfirm = loadScript(here, 'lua/admission-confirm.lua', {
  keys: ['state', 'active', 'ends', 'granting', 'closing'],
  args: ['epoch', 'run_id', 'fence', 'granted', 'refused', 'closed'],
})

export const drawPlace = loadScript(here, 'lua/draw-place.lua', {
  keys: ['state', ...lineKeys, 'aside_places', 'active'],
  args: ['epoch', 'run_id', 'fence', 'drawn_epoch', 'entrants', 'places', 'last'],
})
