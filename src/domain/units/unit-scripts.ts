import { loadScript } from '../../db/script.ts'

const here = import.meta.url

const placeKeys = [
  'left',
  'next',
  'spare',
  'places',
  'accounts',
  'holds',
  'hold_ends',
  'pinned',
  'holding',
] as const

export const holdTake = loadScript(here, 'lua/hold-take.lua', {
  keys: ['state', 'active', 'granting', ...placeKeys],
  args: ['epoch', 'run_id', 'asks'],
})

export const holdExtend = loadScript(here, 'lua/hold-extend.lua', {
  keys: ['state', 'holds', 'hold_ends'],
  args: ['epoch', 'run_id', 'account', 'hold', 'extend_ms'],
})

export const holdsOf = loadScript(here, 'lua/hold-list.lua', {
  keys: ['state', 'holds', 'holding'],
  args: ['epoch', 'run_id', 'account'],
})

export const holdRelease = loadScript(here, 'lua/hold-release.lua', {
  keys: ['state', ...placeKeys],
  args: ['epoch', 'run_id', 'account', 'hold'],
})

export const holdPin = loadScript(here, 'lua/hold-pin.lua', {
  keys: ['state', 'places', 'holds', 'hold_ends', 'pinned'],
  args: ['epoch', 'run_id', 'asks'],
})

export const holdSweep = loadScript(here, 'lua/hold-sweep.lua', {
  keys: ['state', ...placeKeys],
  args: ['epoch', 'run_id', 'fence', 'batch', 'pinned_ms'],
})

export const placesApply = loadScript(here, 'lua/places-apply.lua', {
  keys: [
    'state',
    'active',
    'ends',
    'closing',
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
  args: ['epoch', 'run_id', 'force', 'entries'],
})

export const unitsSnapshot = loadScript(here, 'lua/units-snapshot.lua', {
  keys: ['state', 'left', 'places'],
  args: ['epoch', 'run_id', 'kind'],
})

export const unitRead = loadScript(here, 'lua/unit-read.lua', {
  keys: ['state', 'left', 'places', 'holds'],
  args: ['epoch', 'run_id', 'unit'],
})
