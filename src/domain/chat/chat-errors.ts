import { defineErrors } from '../../errors.ts'

export const chatErrors = defineErrors({
  room_closed: {
    status: 409,
    title: 'This room is closed',
    advice: 'It can be read; nothing more can be said here until the organiser opens it again.',
    retryable: false,
  },
  no_such_entry: {
    status: 404,
    title: 'There is no such message in this room, or it was deleted',
    advice: 'Take `seq` from an entry of the kind `talk` or `notice`.',
    retryable: false,
  },
  no_such_member: {
    status: 404,
    title: 'Nobody of that id has been in this room',
    advice: 'Take the id from the `member` of an entry.',
    retryable: false,
  },
  chat_muted: {
    status: 403,
    title: 'The organiser has asked this account to be silent',
    advice: 'Wait until the time given as `until`.',
    retryable: false,
  },
  chat_flooding: {
    status: 429,
    title: 'That is too much at once',
    advice: 'Say it after the time named in Retry-After.',
    retryable: true,
  },
  chat_repeated: {
    status: 429,
    title: 'This was said twice a moment ago',
    advice: 'Say something else, or wait for the time named in Retry-After.',
    retryable: true,
  },
  chat_slow: {
    status: 429,
    title: 'In this room some time must pass between two messages',
    advice: 'Wait for the time named in Retry-After; `slowSeconds` of the room says how long in all.',
    retryable: true,
  },
  chat_id_taken: {
    status: 409,
    title: 'Another message of this room has that id',
    advice: 'Make the id of a message from random bits, and send it again.',
    retryable: false,
  },
})
