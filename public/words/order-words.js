import { inBoth } from './language.js'

/** @import { OrderMessage } from '../../src/domain/orders/order-messages.ts' */

/** What stands around orders and tickets. */
export const orderWords = inBoth({
  en: {
    title: 'My orders',
    nothing: 'You have no orders yet',
    nothingText: 'What you buy stands here, with its tickets.',
    toSales: 'To the sales',
    more: 'Show more',
    /** @type {Readonly<Record<OrderMessage['status'], string>>} */
    statuses: {
      saving: 'Being written down',
      pending: 'Waiting for payment',
      paying: 'Being paid',
      booked: 'Booked',
      refused: 'Payment refused',
      expired: 'Not paid in time',
      cancelled: 'Cancelled',
      abandoned: 'Not booked',
    },
    /** @type {Readonly<Record<OrderMessage['status'], string>>} */
    meanings: {
      saving: 'Your places are kept while we write your order down.',
      pending: 'Your places are kept until the payment is done.',
      paying: 'We are finding out whether the payment went through. Your places stay yours meanwhile.',
      booked: '',
      refused: 'Nothing was charged.',
      expired: 'Nothing was charged.',
      cancelled: '',
      abandoned: 'It could not be written down in time. Nothing was booked, nothing charged.',
    },
    /** @type {Readonly<Record<OrderMessage['refund'], string>>} */
    refunds: { none: '', under_way: 'Your money is on its way back.', done: 'Your money was given back.' },
    /** @param {string} moment */
    ordered: (moment) => `Ordered ${moment}`,
    /** @param {string} clock */
    payBy: (clock) => `To be paid by ${clock}`,
    number: 'Order',
    tickets: 'Tickets',
    /** @param {string} count */
    showTickets: (count) => `Show tickets (${count})`,
    hideTickets: 'Hide tickets',
    print: 'Print',
    /** @param {string} unit */
    qr: (unit) => `QR code of the ticket for ${unit}`,
    free: 'Free',
    used: 'Used',
    usedTicket: 'This ticket was used at the door.',
    cancel: 'Cancel the order',
    cancelTitle: 'Cancel this order?',
    cancelText:
      'All its tickets become worthless and the places go to others. What you paid goes back the way it came.',
    keep: 'Keep it',
    hide: 'Remove from the list',
    seeOrder: 'You have an order here: see it',
    toSale: 'To the sale',
  },
  ko: {
    title: '내 주문',
    nothing: '아직 주문이 없어요',
    nothingText: '구매하시면 티켓과 함께 여기에 보여요.',
    toSales: '판매 보러 가기',
    more: '더 보기',
    statuses: {
      saving: '저장 중',
      pending: '결제 대기',
      paying: '결제 확인 중',
      booked: '예매 완료',
      refused: '결제 거절',
      expired: '결제 시간 초과',
      cancelled: '취소됨',
      abandoned: '예약되지 않음',
    },
    meanings: {
      saving: '주문을 저장하는 동안 자리를 지켜 드려요.',
      pending: '결제가 끝날 때까지 자리를 지켜 드려요.',
      paying: '결제 결과를 확인하고 있어요. 그동안 자리는 그대로예요.',
      booked: '',
      refused: '결제된 금액은 없어요.',
      expired: '결제된 금액은 없어요.',
      cancelled: '',
      abandoned: '제때 저장하지 못했어요. 예약된 자리도, 결제된 금액도 없어요.',
    },
    refunds: { none: '', under_way: '환불이 진행 중이에요.', done: '환불이 끝났어요.' },
    ordered: (moment) => `${moment} 주문`,
    payBy: (clock) => `${clock}까지 결제`,
    number: '주문 번호',
    tickets: '티켓',
    showTickets: (count) => `티켓 보기 (${count})`,
    hideTickets: '티켓 접기',
    print: '인쇄',
    qr: (unit) => `${unit} 티켓의 QR 코드`,
    free: '무료',
    used: '사용됨',
    usedTicket: '입장에 사용된 티켓이에요.',
    cancel: '주문 취소',
    cancelTitle: '이 주문을 취소할까요?',
    cancelText:
      '티켓을 더 이상 쓸 수 없고 자리는 다른 분께 돌아가요. 결제하신 금액은 같은 방법으로 환불돼요.',
    keep: '그대로 두기',
    hide: '목록에서 지우기',
    seeOrder: '이 판매의 주문이 있어요: 보기',
    toSale: '판매로 가기',
  },
})
