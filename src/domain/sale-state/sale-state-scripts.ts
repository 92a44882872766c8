import { loadScript } from '../../db/script.ts'

const here = import.meta.url

export const stateBegin = loadScript(here, 'lua/state-begin.lua', {
  keys: [
    'state',
    'queue',
    'active',
    'ends',
    'granting',
    'closing',
    'pace',
    'restored',
    'left',
    'next',
    'spare',
    'places',
    'accounts',
    'bought',
    'holds',
    'hold_ends',
    'pinned',
    'holding',
  ],
  args: ['epoch', 'run_id', 'fence'],
})

export const stateWrite = loadScript(here, 'lua/state-write.lua', {
  keys: ['state', 'queue', 'active', 'ends', 'pace', 'left', 'next', 'spare', 'places', 'accounts', 'bought'],
  args: ['epoch', 'run_id', 'fence', 'portion'],
})

export const stateOpen = loadScript(here, 'lua/state-open.lua', {
  keys: ['state'],
  args: ['epoch', 'run_id', 'fence', 'restore_ms'],
})

export const stateConfigure = loadScript(here, 'lua/state-configure.lua', {
  keys: ['state'],
  args: ['epoch', 'run_id', 'fence', 'fields', 'restored'],
})

export const stateClose = loadScript(here, 'lua/state-close.lua', {
  keys: [
    'state',
    'queue',
    'active',
    'ends',
    'granting',
    'closing',
    'pace',
    'restored',
    'left',
    'next',
    'spare',
    'places',
    'accounts',
    'bought',
    'holds',
    'hold_ends',
    'pinned',
    'holding',
  ],
  args: ['epoch', 'run_id', 'fence'],
})
