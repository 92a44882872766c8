CREATE TABLE "accounts" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"caller_id" text NOT NULL,
	"route" text NOT NULL,
	"key" text NOT NULL,
	"fingerprint" text NOT NULL,
	"state" text NOT NULL,
	"status" smallint,
	"body" jsonb,
	"started_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_keys_caller_id_route_key_pk" PRIMARY KEY("caller_id","route","key"),
	CONSTRAINT "idempotency_keys_done_has_answer" CHECK ("idempotency_keys"."state" = 'running' or "idempotency_keys"."status" is not null)
);
--> statement-breakpoint
CREATE TABLE "organiser_keys" (
	"hash" text PRIMARY KEY NOT NULL,
	"organiser_id" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"revoked_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "organisers" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "processes" (
	"id" text PRIMARY KEY NOT NULL,
	"roles" text[] NOT NULL,
	"started_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"seen_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "signing_keys" (
	"kid" text PRIMARY KEY NOT NULL,
	"purpose" text NOT NULL,
	"private_jwk" jsonb NOT NULL,
	"public_jwk" jsonb,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"verifies_until" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "bookings" (
	"id" text PRIMARY KEY NOT NULL,
	"order_id" text NOT NULL,
	"sale_id" text NOT NULL,
	"unit_no" integer NOT NULL,
	"ordinal" integer NOT NULL,
	"capacity" integer NOT NULL,
	"account_id" text NOT NULL,
	"nth" integer NOT NULL,
	"status" text NOT NULL,
	"price_minor" integer NOT NULL,
	"issue" integer DEFAULT 1 NOT NULL,
	"booked_at" timestamp (3) with time zone,
	"cancelled_at" timestamp (3) with time zone,
	"checked_in_at" timestamp (3) with time zone,
	CONSTRAINT "bookings_within_capacity" CHECK ("bookings"."ordinal" >= 1 and ("bookings"."ordinal" <= "bookings"."capacity" or "bookings"."status" not in ('pending', 'booked'))),
	CONSTRAINT "bookings_nth" CHECK ("bookings"."nth" >= 1),
	CONSTRAINT "bookings_checked_in" CHECK ("bookings"."checked_in_at" is null or "bookings"."status" = 'booked')
);
--> statement-breakpoint
CREATE TABLE "orders" (
	"id" text PRIMARY KEY NOT NULL,
	"sale_id" text NOT NULL,
	"account_id" text NOT NULL,
	"hold_id" text NOT NULL,
	"status" text NOT NULL,
	"total_minor" bigint NOT NULL,
	"currency" text NOT NULL,
	"pay_by" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"hidden" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"xid" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "outbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"sale_id" text NOT NULL,
	"topic" text NOT NULL,
	"body" jsonb NOT NULL,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "outbox_xid_id_pk" PRIMARY KEY("xid","id")
);
--> statement-breakpoint
CREATE TABLE "outbox_positions" (
	"reader" text PRIMARY KEY NOT NULL,
	"xid" "xid8" NOT NULL,
	"id" bigint NOT NULL,
	"lease_owner" text,
	"lease_until" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "payments" (
	"id" text PRIMARY KEY NOT NULL,
	"order_id" text NOT NULL,
	"method" text NOT NULL,
	"amount_minor" bigint NOT NULL,
	"currency" text NOT NULL,
	"state" text NOT NULL,
	"charge_key" text NOT NULL,
	"refund_key" text NOT NULL,
	"provider_ref" text,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "payments_amount" CHECK ("payments"."amount_minor" > 0)
);
--> statement-breakpoint
CREATE TABLE "sandbox_charges" (
	"charge_key" text PRIMARY KEY NOT NULL,
	"order_id" text NOT NULL,
	"amount_minor" bigint NOT NULL,
	"outcome" text NOT NULL,
	"refund_key" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"refunded_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "admissions" (
	"sale_id" text NOT NULL,
	"sequence" bigint NOT NULL,
	"account_id" text NOT NULL,
	"admitted_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"closed_at" timestamp (3) with time zone,
	"closed_as" text,
	CONSTRAINT "admissions_sale_id_sequence_pk" PRIMARY KEY("sale_id","sequence")
);
--> statement-breakpoint
CREATE TABLE "queue_leaves" (
	"sale_id" text NOT NULL,
	"sequence" bigint NOT NULL,
	"account_id" text NOT NULL,
	"left_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "queue_leaves_sale_id_sequence_pk" PRIMARY KEY("sale_id","sequence")
);
--> statement-breakpoint
CREATE TABLE "sale_writers" (
	"sale_id" text PRIMARY KEY NOT NULL,
	"fence" bigint DEFAULT 0 NOT NULL,
	"epoch" integer DEFAULT 0 NOT NULL,
	"store_run_id" text,
	"epoch_since" timestamp (3) with time zone,
	"lease_owner" text,
	"lease_until" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "sales" (
	"id" text PRIMARY KEY NOT NULL,
	"organiser_id" text NOT NULL,
	"kind" text NOT NULL,
	"title" text NOT NULL,
	"status" text NOT NULL,
	"admits" text NOT NULL,
	"opens_at" timestamp (3) with time zone NOT NULL,
	"closes_at" timestamp (3) with time zone NOT NULL,
	"queue_mode" text NOT NULL,
	"rate_per_minute" integer NOT NULL,
	"max_active" integer NOT NULL,
	"token_ttl_seconds" integer NOT NULL,
	"hold_ttl_seconds" integer NOT NULL,
	"pay_by_seconds" integer NOT NULL,
	"max_per_account" integer NOT NULL,
	"currency" text NOT NULL,
	"layout" jsonb NOT NULL,
	"unit_count" integer NOT NULL,
	"place_count" integer NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "sales_period" CHECK ("sales"."opens_at" < "sales"."closes_at"),
	CONSTRAINT "sales_rate" CHECK ("sales"."rate_per_minute" between 1 and 6000000),
	CONSTRAINT "sales_active" CHECK ("sales"."max_active" between 1 and 1000000),
	CONSTRAINT "sales_limit" CHECK ("sales"."max_per_account" between 1 and 50)
);
--> statement-breakpoint
CREATE TABLE "units" (
	"sale_id" text NOT NULL,
	"unit_no" integer NOT NULL,
	"code" text NOT NULL,
	"capacity" integer NOT NULL,
	"price_minor" integer NOT NULL,
	"price_class" text NOT NULL,
	CONSTRAINT "units_sale_id_unit_no_pk" PRIMARY KEY("sale_id","unit_no"),
	CONSTRAINT "units_code" UNIQUE("sale_id","code"),
	CONSTRAINT "units_place_limit" UNIQUE("sale_id","unit_no","capacity"),
	CONSTRAINT "units_capacity" CHECK ("units"."capacity" between 1 and 1000000),
	CONSTRAINT "units_price" CHECK ("units"."price_minor" >= 0)
);
--> statement-breakpoint
ALTER TABLE "organiser_keys" ADD CONSTRAINT "organiser_keys_organiser_id_organisers_id_fk" FOREIGN KEY ("organiser_id") REFERENCES "public"."organisers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bookings" ADD CONSTRAINT "bookings_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "bookings" ADD CONSTRAINT "bookings_of_unit" FOREIGN KEY ("sale_id","unit_no","capacity") REFERENCES "public"."units"("sale_id","unit_no","capacity") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_sale_id_sales_id_fk" FOREIGN KEY ("sale_id") REFERENCES "public"."sales"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payments" ADD CONSTRAINT "payments_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "admissions" ADD CONSTRAINT "admissions_sale_id_sales_id_fk" FOREIGN KEY ("sale_id") REFERENCES "public"."sales"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "admissions" ADD CONSTRAINT "admissions_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sale_writers" ADD CONSTRAINT "sale_writers_sale_id_sales_id_fk" FOREIGN KEY ("sale_id") REFERENCES "public"."sales"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sales" ADD CONSTRAINT "sales_organiser_id_organisers_id_fk" FOREIGN KEY ("organiser_id") REFERENCES "public"."organisers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "units" ADD CONSTRAINT "units_sale_id_sales_id_fk" FOREIGN KEY ("sale_id") REFERENCES "public"."sales"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "idempotency_keys_started" ON "idempotency_keys" USING btree ("started_at");--> statement-breakpoint
CREATE UNIQUE INDEX "bookings_one_per_place" ON "bookings" USING btree ("sale_id","unit_no","ordinal") WHERE "bookings"."status" in ('pending', 'booked');--> statement-breakpoint
CREATE UNIQUE INDEX "bookings_limit_per_account" ON "bookings" USING btree ("sale_id","account_id","nth") WHERE "bookings"."status" in ('pending', 'booked');--> statement-breakpoint
CREATE INDEX "bookings_of_order" ON "bookings" USING btree ("order_id");--> statement-breakpoint
CREATE INDEX "bookings_revoked" ON "bookings" USING btree ("sale_id","cancelled_at") WHERE "bookings"."status" = 'cancelled';--> statement-breakpoint
CREATE INDEX "orders_of_account" ON "orders" USING btree ("account_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "orders_due" ON "orders" USING btree ("pay_by") WHERE "orders"."status" = 'pending';--> statement-breakpoint
CREATE INDEX "outbox_of_sale" ON "outbox" USING btree ("sale_id","xid","id");--> statement-breakpoint
CREATE UNIQUE INDEX "payments_of_order" ON "payments" USING btree ("order_id");--> statement-breakpoint
CREATE INDEX "payments_due" ON "payments" USING btree ("next_at") WHERE "payments"."state" in ('queued', 'calling', 'unknown', 'refunding');--> statement-breakpoint
CREATE UNIQUE INDEX "admissions_one_open" ON "admissions" USING btree ("sale_id","account_id") WHERE "admissions"."closed_at" is null;--> statement-breakpoint
CREATE INDEX "admissions_lately" ON "admissions" USING btree ("sale_id","admitted_at");--> statement-breakpoint
CREATE INDEX "queue_leaves_lately" ON "queue_leaves" USING btree ("sale_id","left_at");--> statement-breakpoint
CREATE INDEX "sales_status_opens" ON "sales" USING btree ("status","opens_at");