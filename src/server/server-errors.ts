import { defineErrors } from '../errors.ts'

/** Errors of the transport: what is wrong with a request or a frame before any rule of the house is asked. */
export const serverErrors = defineErrors({
  malformed_json: {
    status: 400,
    title: 'The body or frame is not valid JSON text',
    advice: 'Send one JSON value in UTF-8, without U+0000 and without lone surrogates.',
    retryable: false,
  },
  malformed_url: {
    status: 400,
    title: 'The path or the query is not correctly percent-encoded',
    advice: 'Encode each part as UTF-8 with encodeURIComponent; send at most 64 query parameters.',
    retryable: false,
  },
  foreign_origin: {
    status: 403,
    title: 'Pages of this origin may not make this call',
    advice: 'Call from the same origin, or let the operator allow yours.',
    retryable: false,
  },
  no_such_route: {
    status: 404,
    title: 'There is nothing at this address',
    advice: 'See /openapi.json for all addresses.',
    retryable: false,
  },
  method_not_allowed: {
    status: 405,
    title: 'This address does not know this method',
    advice: 'Use one of the methods in the header Allow.',
    retryable: false,
  },
  in_progress: {
    status: 409,
    title: 'A request with this Idempotency-Key is being worked on',
    advice: 'Repeat the request after the time named in Retry-After to get its answer.',
    retryable: true,
  },
  too_many_channels: {
    status: 409,
    title: 'This connection has as many channels as one may have',
    advice: 'Unsubscribe from a channel first, or open a second connection.',
    retryable: false,
  },
  body_too_large: {
    status: 413,
    title: 'The body or frame is larger than allowed here',
    advice: 'Send less at once.',
    retryable: false,
  },
  unsupported_media_type: {
    status: 415,
    title: 'The body is of a type that this call does not read',
    advice: 'Send JSON with Content-Type: application/json; frames are text, not binary.',
    retryable: false,
  },
  unknown_op: {
    status: 422,
    title: 'The frame asks for an operation that does not exist',
    advice: 'Use one of subscribe, unsubscribe and publish.',
    retryable: false,
  },
  unknown_channel: {
    status: 404,
    title: 'There is no such channel, or it does not take what was asked',
    advice: 'See the description of /ws for the channels and what each of them takes.',
    retryable: false,
  },
  idempotency_key_reused: {
    status: 422,
    title: 'This Idempotency-Key was used for another request',
    advice: 'Make a new key for each new request.',
    retryable: false,
  },
  upgrade_required: {
    status: 426,
    title: 'This address speaks WebSocket only',
    advice: 'Open it with a WebSocket client.',
    retryable: false,
  },
  too_many_requests: {
    status: 429,
    title: 'Too many requests in a short time',
    advice: 'Wait for the time named in Retry-After.',
    retryable: true,
  },
  overloaded: {
    status: 503,
    title: 'The server has as much to do as it can bear',
    advice: 'Try again after the time named in Retry-After.',
    retryable: true,
  },
  draining: {
    status: 503,
    title: 'This server process is about to stop',
    advice: 'Connect again after the time named in Retry-After; another process will answer.',
    retryable: true,
  },
  timed_out: {
    status: 503,
    title: 'The answer took too long',
    advice: 'Ask for the state of what you wanted, or repeat the request with the same Idempotency-Key.',
    retryable: true,
  },
})
