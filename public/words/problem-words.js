import { toProblem } from '../live/problem.js'
import { inBoth, language } from './language.js'

/**
 * What an error means to the person who met it: in their language where the code is one that a buyer can meet, else in
 * the server's own words.
 * @param {unknown} thrown
 */
export function problemText(thrown) {
  const { code, message } = toProblem(thrown)
  /** @type {Readonly<Record<string, string>>} */
  const known = problemWords.value
  return known[code] ?? (language.value === 'en' ? message : `${problemWords.value.internal} (${code})`)
}

const problemWords = inBoth({
  en: {
    unreachable: 'The server cannot be reached. Please check your connection.',
    unavailable: 'The server cannot do that at the moment. Please try again shortly.',
    internal: 'Something went wrong on our side. Please try again.',
    too_many_requests: 'That was a lot at once. Please wait a moment.',
    overloaded: 'Very many people are here just now. Please try again shortly.',
    draining: 'The server is being replaced. Please try again in a moment.',
    invalid_request: 'Something in it is not right. Please mend what is marked.',
    no_such_sale: 'There is no such sale.',
    not_open_yet: 'This sale has not opened yet.',
    sale_closed: 'This sale is over.',
    verified_only: 'This sale is for verified accounts only.',
    restoring: 'The line is being put back in order. Your place is kept.',
    limit_reached: 'You already have as much as one person may have in this sale.',
    being_admitted: 'You are being let in at this very moment. Please try again.',
    admission_over: 'Your time to buy is over.',
    not_in_line: 'You have no place in this line.',
    none_together:
      'There are not that many free seats side by side. Please ask for fewer, or choose single ones.',
    beyond_capacity: 'There are not that many places there.',
    already_extended: 'You have had your five minutes more already.',
    no_such_order: 'There is no such order.',
    payment_under_way: 'The payment of this order is still under way. Please try again in a moment.',
    order_ended: 'This order has ended already; nothing was charged.',
    order_not_ended: 'This order still stands. Cancel it first.',
    order_checked_in: 'A ticket of this order was used at the door, so it cannot be cancelled.',
    not_booked: 'This ticket is not good any more.',
    no_such_booking: 'There is no such ticket.',
    no_such_store: 'There is no such store.',
    store_closed: 'This store is over.',
    room_closed: 'This room is closed.',
    chat_muted: 'The organiser has asked you to be silent for a while.',
    chat_flooding: 'That was a lot at once. Please wait a moment.',
    chat_repeated: 'You said that just now. Please say something else.',
    chat_slow: 'In this room some time passes between two messages. Please wait a moment.',
  },
  ko: {
    unreachable: '서버에 연결할 수 없어요. 인터넷 연결을 확인해 주세요.',
    unavailable: '지금은 처리할 수 없어요. 잠시 후 다시 시도해 주세요.',
    internal: '서버에 문제가 생겼어요. 다시 시도해 주세요.',
    too_many_requests: '요청이 너무 많았어요. 잠시만 기다려 주세요.',
    overloaded: '지금 접속하신 분이 매우 많아요. 잠시 후 다시 시도해 주세요.',
    draining: '서버를 교체하고 있어요. 잠시 후 다시 시도해 주세요.',
    invalid_request: '올바르지 않은 내용이 있어요. 표시된 곳을 고쳐 주세요.',
    no_such_sale: '없는 판매예요.',
    not_open_yet: '아직 판매가 시작되지 않았어요.',
    sale_closed: '판매가 끝났어요.',
    verified_only: '인증된 계정만 참여할 수 있는 판매예요.',
    restoring: '대기열을 복구하고 있어요. 순서는 그대로예요.',
    limit_reached: '이 판매에서 한 사람이 가질 수 있는 만큼 이미 가지고 계세요.',
    being_admitted: '지금 막 입장하고 있어요. 다시 시도해 주세요.',
    admission_over: '구매 시간이 끝났어요.',
    not_in_line: '이 대기열에 자리가 없어요.',
    none_together: '그만큼 나란히 빈 좌석이 없어요. 수를 줄이거나 하나씩 골라 주세요.',
    beyond_capacity: '그만큼의 자리가 없어요.',
    already_extended: '이미 5분을 더 받으셨어요.',
    no_such_order: '없는 주문이에요.',
    payment_under_way: '결제가 진행 중이에요. 잠시 후 다시 시도해 주세요.',
    order_ended: '이미 끝난 주문이에요. 결제된 금액은 없어요.',
    order_not_ended: '아직 유효한 주문이에요. 먼저 취소해 주세요.',
    order_checked_in: '이미 입장에 사용된 티켓이 있어 취소할 수 없어요.',
    not_booked: '더 이상 유효하지 않은 티켓이에요.',
    no_such_booking: '없는 티켓이에요.',
    no_such_store: '없는 스토어예요.',
    store_closed: '종료된 스토어예요.',
    room_closed: '닫힌 채팅방이에요.',
    chat_muted: '주최자의 요청으로 잠시 메시지를 보낼 수 없어요.',
    chat_flooding: '메시지가 너무 많았어요. 잠시만 기다려 주세요.',
    chat_repeated: '방금 보낸 메시지예요. 다른 말을 해 주세요.',
    chat_slow: '느린 모드예요. 잠시 후에 보내 주세요.',
  },
})
