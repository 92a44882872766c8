import type { Sale } from './sale.ts'
import type { SaleView } from './sale-messages.ts'

/** What everybody may see of a sale; the organiser and the version stay inside. */
export function viewOfSale(sale: Sale): SaleView {
  const { id, kind, title, status, admits, queue, singleSeats, onePerUnit, payBySeconds } = sale
  const { currency, unitCount, placeCount, notice } = sale
  return {
    id,
    store: sale.storeId,
    kind,
    title,
    status,
    admits,
    opensAt: new Date(sale.opensAtMs).toISOString(),
    closesAt: new Date(sale.closesAtMs).toISOString(),
    queue: { ...queue },
    singleSeats,
    onePerUnit,
    notice: notice && { text: notice.text, at: new Date(notice.atMs).toISOString() },
    payBySeconds,
    currency,
    unitCount,
    placeCount,
    createdAt: new Date(sale.createdAtMs).toISOString(),
  }
}
