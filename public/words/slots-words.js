import { inBoth } from './language.js'

/** The calendar of slots. */
export const slotsWords = inBoth({
  en: {
    calendar: 'Dates and times',
    days: 'Days',
    earlier: 'Earlier',
    later: 'Later',
    /** @param {string} count */
    left: (count) => `${count} left`,
    full: 'Full',
    closed: 'Closed',
    quantity: 'How many',
    fewer: 'One fewer',
    more: 'One more',
    watch: 'Tell me when a place is free',
    watched: 'We tell you when a place is free',
  },
  ko: {
    calendar: '날짜와 시간',
    days: '날짜',
    earlier: '이전',
    later: '다음',
    left: (count) => `${count}자리`,
    full: '마감',
    closed: '휴무',
    quantity: '인원',
    fewer: '한 명 빼기',
    more: '한 명 더하기',
    watch: '자리가 나면 알려 주기',
    watched: '자리가 나면 알려 드릴게요',
  },
})
