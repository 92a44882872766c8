import { loadScript } from '../../db/script.ts'
import { saleKeyNames } from './sale-keys.ts'

const here = import.meta.url

export const stateBegin = loadScript(here, 'lua/state-begin.lua', {
  // Every key there is, in its order: a key more is forgotten and let go of with the others.
  keys: saleKeyNames,
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
  keys: saleKeyNames,
  args: ['epoch', 'run_id', 'fence'],
})
