import { generalErrors, type ErrorDefinition } from './errors.ts'
import { tokenErrors } from './domain/accounts/token-errors.ts'
import { orderErrors } from './domain/orders/order-errors.ts'
import { queueErrors } from './domain/queue/queue-errors.ts'
import { saleStateErrors } from './domain/sale-state/sale-failures.ts'
import { saleErrors } from './domain/sales/sale-errors.ts'
import { ticketErrors } from './domain/tickets/ticket-errors.ts'
import { unitErrors } from './domain/units/unit-errors.ts'
import { serverErrors } from './server/server-errors.ts'

/** Every error a client can meet. */
export const errorCatalogue: readonly ErrorDefinition[] = [
  generalErrors,
  serverErrors,
  tokenErrors,
  saleErrors,
  saleStateErrors,
  queueErrors,
  unitErrors,
  orderErrors,
  ticketErrors,
].flatMap((list) => Object.values(list))
