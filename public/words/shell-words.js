import { inBoth } from './language.js'

/** What stands on every page. */
export const shellWords = inBoth({
  en: {
    stores: 'Stores',
    sales: 'Sales',
    orders: 'My orders',
    toContent: 'Skip to the content',
    language: 'Language',
    connecting: 'Connecting…',
    lost: 'No connection. We keep trying.',
    /** @param {string} ago */
    lostSince: (ago) => `No connection. What you see is ${ago} old.`,
    refused: 'This page was disconnected by the server.',
    reconnect: 'Connect again',
    tryNow: 'Try now',
    tryAgain: 'Try again',
    wentWrong: 'Something went wrong',
    broken: 'This page has stopped. Loading it again will help; nothing you have is lost.',
    reload: 'Load again',
    close: 'Close',
    never: 'No',
  },
  ko: {
    stores: '스토어',
    sales: '판매',
    orders: '내 주문',
    toContent: '본문으로 건너뛰기',
    language: '언어',
    connecting: '연결 중…',
    lost: '연결이 끊겼어요. 계속 다시 시도하고 있어요.',
    lostSince: (ago) => `연결이 끊겼어요. 지금 보이는 내용은 ${ago} 전 기준이에요.`,
    refused: '서버가 이 페이지의 연결을 끊었어요.',
    reconnect: '다시 연결',
    tryNow: '지금 시도',
    tryAgain: '다시 시도',
    wentWrong: '문제가 생겼어요',
    broken: '페이지가 멈췄어요. 새로고침하면 괜찮아져요. 가지고 계신 것은 그대로 남아 있어요.',
    reload: '새로고침',
    close: '닫기',
    never: '아니요',
  },
})
