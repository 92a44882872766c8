import { loadScript } from '../../db/script.ts'

const here = import.meta.url

export const queueJoin = loadScript(here, 'lua/queue-join.lua', {
  keys: ['state', 'queue', 'active', 'granting', 'bought'],
  args: ['epoch', 'run_id', 'account'],
})

export const queueLeave = loadScript(here, 'lua/queue-leave.lua', {
  keys: [
    'state',
    'queue',
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
  keys: ['state', 'queue', 'active', 'granting'],
  args: ['epoch', 'run_id', 'accounts'],
})

export const queueRestore = loadScript(here, 'lua/queue-restore.lua', {
  keys: ['state', 'queue', 'active', 'restored'],
  args: ['epoch', 'run_id', 'edge', 'last', 'waiters'],
})

export const admissionAdmit = loadScript(here, 'lua/admission-admit.lua', {
  keys: ['state', 'queue', 'active', 'ends', 'granting', 'closing', 'pace', 'holding', 'restored'],
  args: ['epoch', 'run_id', 'fence', 'batch', 'factor'],
})

export const admissionConfirm = loadScript(here, 'lua/admission-confirm.lua', {
  keys: ['state', 'active', 'ends', 'granting', 'closing'],
  args: ['epoch', 'run_id', 'fence', 'granted', 'refused', 'closed'],
})
