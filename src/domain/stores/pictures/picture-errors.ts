import { defineErrors } from '../../../errors.ts'

export const pictureErrors = defineErrors({
  not_a_picture: {
    status: 422,
    title: 'This is no picture that can be shown here',
    advice: 'Send a whole JPEG, PNG or WebP of at most 50 million pixels; what counts is what is in it.',
    retryable: false,
  },
  too_many_pictures: {
    status: 409,
    title: 'The store has as many pictures as it may',
    advice: 'Remove one with DELETE /api/v1/stores/{store}/pictures/{picture} first.',
    retryable: false,
  },
  no_such_picture: {
    status: 404,
    title: 'There is no such picture',
    advice: 'Take its address from `pictures` of the store.',
    retryable: false,
  },
  pictures_busy: {
    status: 503,
    title: 'Many pictures are being made ready',
    advice: 'Send it again after the time named in Retry-After.',
    retryable: true,
  },
})
