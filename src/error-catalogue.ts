import { pictureErrors } from './domain/stores/pictures/picture-errors.ts'
import { generalErrors, type ErrorDefinition } from './errors.ts'
import { tokenErrors } from './domain/accounts/token-errors.ts'
import { orderErrors } from './domain/orders/order-errors.ts'
import { chatErrors } from './domain/chat/chat-errors.ts'
import { drawErrors } from './domain/queue/draw-errors.ts'
import { queueErrors } from './domain/queue/queue-errors.ts'
import { saleStateErrors } from './domain/sale-state/sale-failures.ts'
import { saleErrors } from './domain/sales/sale-errors.ts'
import { storeErrors } from './domain/stores/store-errors.ts'
import { ticketErrors } from './domain/tickets/ticket-errors.ts'
import { unitErrors } from './domain/units/unit-errors.ts'
import { serverErrors } from './server/server-errors.ts'

/** The errors of one area, under the heading they have in the documents. */
export interface ErrorArea {
  readonly title: string
  readonly errors: readonly ErrorDefinition[]
}

/** Every area that can refuse something. */
export const errorAreas: readonly ErrorArea[] = [
  area('The house', generalErrors),
  area('Requests and connections', serverErrors),
  area('Accounts and tokens', tokenErrors),
  area('Stores', storeErrors),
  area('Sales', saleErrors),
  area('The state of a sale', saleStateErrors),
  area('Line and gate', queueErrors),
  area('Draws', drawErrors),
  area('Units and holds', unitErrors),
  area('Orders', orderErrors),
  area('Tickets', ticketErrors),
  area('Pictures', pictureErrors),
  area('Chat', chatErrors),
]

/** Every error a client can meet. */
export const errorCatalogue = catalogueOf(errorAreas)

/** All errors of all areas. A code that two areas claim is a mistake of ours, and throws. */
export function catalogueOf(areas: readonly ErrorArea[]): readonly ErrorDefinition[] {
  const owners = new Map<string, string>()
  for (const { title, errors } of areas) {
    for (const { code } of errors) {
      const owner = owners.get(code)
      if (owner !== undefined) throw new Error(`the error code ${code} belongs to ${owner} and to ${title}`)
      owners.set(code, title)
    }
  }
  return areas.flatMap(({ errors }) => errors)
}

function area(title: string, errors: Readonly<Record<string, ErrorDefinition>>): ErrorArea {
  return { title, errors: Object.values(errors) }
}
