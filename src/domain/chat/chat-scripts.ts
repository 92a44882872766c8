import { loadScript } from '../../db/script.ts'

const here = import.meta.url

export const chatPace = loadScript(here, 'lua/chat-pace.lua', {
  keys: ['pace'],
  args: ['id', 'text', 'interval_ms', 'burst', 'slow_ms'],
})

export const chatPresence = loadScript(here, 'lua/chat-presence.lua', {
  keys: ['presence'],
  args: ['process', 'members', 'ttl_ms'],
})
