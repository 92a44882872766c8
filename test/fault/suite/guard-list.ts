import type { Guard } from './guards.ts'

/** What is taken out, each on its own, to see that the suite notices. */
export const guards: readonly Guard[] = [
  {
    name: 'gate',
    promises: [3],
    edits: [
      { file: 'domain/queue/lua/admission-admit.lua', from: 'max_active - active', to: '1000 - active' },
    ],
    faults: [],
    rounds: 1,
  },
  {
    name: 'pace',
    promises: [3],
    edits: [
      {
        file: 'domain/queue/lua/admission-admit.lua',
        from: 'local paced = math.min(rate - pace, math.floor(spare_credit))',
        to: 'local paced = 1000',
      },
    ],
    faults: [],
    rounds: 1,
  },
  {
    name: 'fence',
    promises: [3],
    edits: [
      {
        file: 'domain/queue/admission-store.js',
        from: 'where sale_id = ${saleId} and fence = ${fence} for share),',
        to: 'where sale_id = ${saleId} for share),',
      },
      {
        file: 'domain/queue/admission-store.js',
        from: 'where sale_id = ${saleId} and fence = ${fence} for share`',
        to: 'where sale_id = ${saleId} for share`',
      },
    ],
    faults: [
      'what the writer writes comes after its lease, and Redis forgets meanwhile',
      'what the writer writes comes after its lease, and Redis forgets meanwhile',
    ],
    rounds: 3,
  },
  {
    name: 'sweep',
    promises: [8],
    edits: [{ file: 'domain/units/lua/hold-sweep.lua', from: 'record.expires <= now', to: 'false' }],
    faults: [],
    rounds: 1,
  },
  {
    name: 'an order is found by its hold',
    promises: [4],
    edits: [
      {
        file: 'domain/orders/order-placing.js',
        from: '        if (order === undefined)\n            throw error;\n        return order;',
        to: '        throw error;',
      },
    ],
    faults: ['answers to buyers are lost'],
    rounds: 2,
  },
  {
    name: 'owner check',
    promises: [1],
    edits: [
      {
        file: 'domain/units/lua/places-apply.lua',
        from: "if owner == 'p:' .. entry.order or owner == 's:' .. entry.order then",
        to: 'if owner then',
      },
    ],
    // What was freed at once is freed again when the outbox is read, when somebody else has it.
    faults: ['the outbox stands still', 'the outbox stands still', 'the outbox stands still'],
    rounds: 3,
  },
  {
    name: 'pin',
    promises: [8],
    edits: [
      {
        file: 'domain/units/lua/hold-pin.lua',
        from: "  redis.call('ZREM', hold_ends_key, hold)\n",
        to: '',
      },
      {
        file: 'domain/units/lua/hold-sweep.lua',
        from: 'if not record or record.order then',
        to: 'if not record then',
      },
    ],
    faults: ['a way to PostgreSQL is frozen', 'PostgreSQL is killed', 'a process is cut off from PostgreSQL'],
    rounds: 3,
  },
  {
    name: 'run id',
    promises: [1, 2, 6],
    edits: [{ file: 'domain/sale-state/lua/guard.lua', from: 'or s[2] ~= run_id', to: '' }],
    faults: [
      'Redis is killed, and has lost its last second',
      'Redis is killed, and has lost its last second',
    ],
    rounds: 2,
  },
  {
    name: 'places from bookings',
    promises: [1],
    edits: [
      {
        file: 'domain/sale-state/sale-rebuilding.js',
        from: 'places: await standingPlaces(tx, saleId)',
        to: 'places: []',
      },
    ],
    faults: ['Redis forgets everything'],
    rounds: 2,
  },
  {
    name: 'tokens from admissions',
    promises: [3],
    edits: [
      {
        file: 'domain/sale-state/sale-rebuilding.js',
        from: 'admissions: await bindingAdmissions(tx, saleId)',
        to: 'admissions: []',
      },
    ],
    faults: ['Redis forgets everything'],
    rounds: 2,
  },
  {
    name: 'unique index of a place',
    promises: [1],
    edits: [
      {
        file: 'domain/sale-state/sale-rebuilding.js',
        from: 'places: await standingPlaces(tx, saleId)',
        to: 'places: []',
      },
    ],
    statement: 'drop index bookings_one_per_place',
    faults: ['Redis forgets everything'],
    rounds: 2,
  },
  {
    name: 'idempotency row, and ids that follow from the key',
    promises: [7],
    edits: [
      { file: 'server/exchange.js', from: "if (head.idempotencyKey === '' || !caller)", to: 'if (true)' },
      { file: 'server/idempotency.js', from: "if (earlier.state === 'done')", to: 'if (false)' },
    ],
    faults: [],
    rounds: 2,
  },
  {
    name: 'end of a hold compared again',
    promises: [8],
    edits: [
      {
        file: 'domain/units/lua/hold-pin.lua',
        from: 'if record.expires <= now then return NO_HOLD end',
        to: '',
      },
    ],
    faults: ['payments and worker are killed, both of them', 'the writer sleeps past its lease'],
    rounds: 3,
  },
  {
    name: 'admission record',
    promises: [3],
    edits: [
      {
        file: 'domain/queue/admission-gate.js',
        from: 'const standing = await recordAdmissions(sql, { saleId, fence, grants, closings });',
        to: 'const standing = new Set(grants.map((grant) => grant.accountId));',
      },
    ],
    faults: ['Redis forgets everything'],
    rounds: 2,
  },
  {
    name: 'sequence check of the map',
    promises: [6],
    edits: [
      {
        file: 'streams/unit-map.js',
        from: 'if (delta.prev === this.#known.seq)',
        to: 'if (delta.prev !== undefined)',
      },
    ],
    faults: ['notices of Redis are lost, repeated and turned round'],
    rounds: 2,
  },
  {
    name: 'position from which a viewer goes on',
    promises: [6],
    edits: [
      {
        file: 'streams/map-view.js',
        from: 'const event = position === undefined ? this.current() : this.since(position);',
        to: 'const event = position === undefined ? this.current() : this.#delta(this.#told.seq, []);',
      },
    ],
    faults: [],
    rounds: 1,
  },
  {
    name: 'refund tried again',
    promises: [5],
    edits: [
      {
        file: 'domain/payments/payment-processing.js',
        from: 'await this.#call((signal) => this.#options.provider.refund({ key, chargeKey, amountMinor }, signal));',
        to: 'await this.#call((signal) => this.#options.provider.refund({ key, chargeKey, amountMinor }, signal)).catch(() => {});',
      },
    ],
    faults: ['an edge sleeps', 'the payment provider is away', 'the payment provider is away'],
    rounds: 3,
  },
  {
    name: 'one place in line',
    promises: [7],
    edits: [
      {
        file: 'domain/queue/lua/queue-join.lua',
        from: "local sequence = redis.call('ZSCORE', queue_key, account)",
        to: 'local sequence',
      },
    ],
    faults: [],
    rounds: 1,
  },
  {
    name: 'outbox',
    promises: [8],
    edits: [
      {
        file: 'streams/outbox-relay.js',
        from: 'if (changes.length > 0)',
        to: 'if (changes.length < 0)',
      },
    ],
    faults: ['Redis sleeps', 'answers of Redis are lost', 'a process is cut off from Redis'],
    rounds: 3,
  },
  {
    name: 'forsaken holds are settled',
    promises: [8],
    edits: [
      {
        file: 'domain/units/lua/hold-sweep.lua',
        from: "ipairs(redis.call('ZRANGEBYSCORE', pinned_key, '-inf', now - pinned_ms, 'LIMIT', 0, batch))",
        to: 'ipairs({})',
      },
    ],
    // Orders that wait in an edge for PostgreSQL end with it.
    faults: ['PostgreSQL is killed', 'an edge is killed', 'PostgreSQL is killed', 'an edge is killed'],
    together: 2,
    rounds: 3,
  },
  {
    name: 'limit of an account',
    promises: [7],
    edits: [
      {
        file: 'domain/units/lua/hold-take.lua',
        from: 'if count > max_per_account then return LIMIT end',
        to: '',
      },
      { file: 'domain/orders/order-commit.js', from: ' and b.nth <= s.max_per_account', to: '' },
    ],
    statement: 'drop index bookings_limit_per_account',
    faults: [],
    rounds: 2,
  },
  {
    name: 'ticket',
    promises: [2],
    edits: [
      {
        file: 'domain/queue/queue-joining.js',
        from: ': await this.#comeBack(saleId, joiner.accountId, ticket);',
        to: ': await queue.leave(saleId, joiner.accountId).then(() => queue.join(saleId, joiner.accountId));',
      },
    ],
    faults: [],
    rounds: 1,
  },
]
