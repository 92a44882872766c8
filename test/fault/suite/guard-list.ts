import type { Guard } from './guards.ts'

/** What is taken out, each on its own, to see that the suite notices. */
export const guards: readonly Guard[] = [
  {
    name: 'gate',
    edits: [
      { file: 'domain/queue/lua/admission-admit.lua', from: 'max_active - active', to: '1000 - active' },
    ],
    faults: [],
    rounds: 1,
  },
  {
    name: 'pace',
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
    edits: [{ file: 'domain/units/lua/hold-sweep.lua', from: 'record.expires <= now', to: 'false' }],
    faults: [],
    rounds: 1,
  },
  {
    name: 'an order is found by its hold',
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
    edits: [
      {
        file: 'domain/units/lua/places-apply.lua',
        from: "if owner == 'p:' .. entry.order or owner == 's:' .. entry.order then",
        to: 'if owner then',
      },
    ],
    faults: [
      'answers of PostgreSQL are lost, commits among them',
      'Redis is killed, and has its file',
      'the writer is killed',
    ],
    rounds: 3,
  },
  {
    name: 'pin',
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
    edits: [{ file: 'domain/sale-state/lua/guard.lua', from: 'or s[2] ~= run_id', to: '' }],
    faults: [
      'Redis is killed, and has lost its last second',
      'Redis is killed, and has lost its last second',
    ],
    rounds: 2,
  },
  {
    name: 'places from bookings',
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
    edits: [
      { file: 'server/exchange.js', from: "if (head.idempotencyKey === '' || !caller)", to: 'if (true)' },
      { file: 'server/idempotency.js', from: "if (earlier.state === 'done')", to: 'if (false)' },
    ],
    faults: [],
    rounds: 2,
  },
  {
    name: 'end of a hold compared again',
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
    edits: [
      {
        file: 'streams/outbox-relay.js',
        from: 'if (changes.length === 0)',
        to: 'if (changes.length >= 0)',
      },
    ],
    faults: ['Redis sleeps', 'answers of Redis are lost', 'a process is cut off from Redis'],
    rounds: 3,
  },
  {
    name: 'forsaken holds are settled',
    edits: [
      {
        file: 'domain/units/lua/hold-sweep.lua',
        from: "ipairs(redis.call('ZRANGEBYSCORE', pinned_key, '-inf', now - pinned_ms, 'LIMIT', 0, batch))",
        to: 'ipairs({})',
      },
    ],
    faults: ['an edge is killed', 'PostgreSQL is killed', 'an edge is killed'],
    rounds: 3,
  },
]
