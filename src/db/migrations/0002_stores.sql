CREATE TABLE "chat_entries" (
	"store_id" text NOT NULL,
	"seq" bigint NOT NULL,
	"id" text NOT NULL,
	"kind" text NOT NULL,
	"account_id" text,
	"name" text NOT NULL,
	"text" text DEFAULT '' NOT NULL,
	"target_seq" bigint,
	"seconds" integer,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"deleted_at" timestamp (3) with time zone,
	CONSTRAINT "chat_entries_store_id_seq_pk" PRIMARY KEY("store_id","seq"),
	CONSTRAINT "chat_entries_text" CHECK (char_length("chat_entries"."text") <= 1000)
);
--> statement-breakpoint
CREATE TABLE "chat_members" (
	"store_id" text NOT NULL,
	"account_id" text NOT NULL,
	"member_id" text NOT NULL,
	"name" text NOT NULL,
	"muted_until" timestamp (3) with time zone,
	"joined_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "chat_members_store_id_account_id_pk" PRIMARY KEY("store_id","account_id")
);
--> statement-breakpoint
CREATE TABLE "chat_rooms" (
	"store_id" text PRIMARY KEY NOT NULL,
	"epoch" integer DEFAULT 1 NOT NULL,
	"last_seq" bigint DEFAULT 0 NOT NULL,
	"slow_seconds" integer DEFAULT 0 NOT NULL,
	"pinned_seq" bigint,
	"closed_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "store_pictures" (
	"id" text PRIMARY KEY NOT NULL,
	"store_id" text NOT NULL,
	"position" integer NOT NULL,
	"alt" text NOT NULL,
	"width" integer NOT NULL,
	"height" integer NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "stores" (
	"id" text PRIMARY KEY NOT NULL,
	"organiser_id" text NOT NULL,
	"name" text NOT NULL,
	"name_grams" text[] NOT NULL,
	"name_folded" text NOT NULL,
	"name_initials" text NOT NULL,
	"description" text NOT NULL,
	"category" text NOT NULL,
	"address" text NOT NULL,
	"latitude" double precision NOT NULL,
	"longitude" double precision NOT NULL,
	"opens_at" timestamp (3) with time zone NOT NULL,
	"closes_at" timestamp (3) with time zone NOT NULL,
	"opening_hours" jsonb NOT NULL,
	"links" jsonb NOT NULL,
	"max_per_account" integer,
	"popularity" integer DEFAULT 0 NOT NULL,
	"status" text DEFAULT 'open' NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "stores_period" CHECK ("stores"."opens_at" < "stores"."closes_at"),
	CONSTRAINT "stores_place" CHECK ("stores"."latitude" between -90 and 90 and "stores"."longitude" between -180 and 180),
	CONSTRAINT "stores_limit" CHECK ("stores"."max_per_account" between 1 and 50)
);
--> statement-breakpoint
ALTER TABLE "bookings" ADD COLUMN "one_per_unit" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "sales" ADD COLUMN "store_id" text;--> statement-breakpoint
ALTER TABLE "sales" ADD COLUMN "one_per_unit" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "chat_entries" ADD CONSTRAINT "chat_entries_store_id_chat_rooms_store_id_fk" FOREIGN KEY ("store_id") REFERENCES "public"."chat_rooms"("store_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chat_entries" ADD CONSTRAINT "chat_entries_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chat_members" ADD CONSTRAINT "chat_members_store_id_chat_rooms_store_id_fk" FOREIGN KEY ("store_id") REFERENCES "public"."chat_rooms"("store_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chat_members" ADD CONSTRAINT "chat_members_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chat_rooms" ADD CONSTRAINT "chat_rooms_store_id_stores_id_fk" FOREIGN KEY ("store_id") REFERENCES "public"."stores"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "store_pictures" ADD CONSTRAINT "store_pictures_store_id_stores_id_fk" FOREIGN KEY ("store_id") REFERENCES "public"."stores"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "stores" ADD CONSTRAINT "stores_organiser_id_organisers_id_fk" FOREIGN KEY ("organiser_id") REFERENCES "public"."organisers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "chat_entries_once" ON "chat_entries" USING btree ("store_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "chat_members_member" ON "chat_members" USING btree ("store_id","member_id");--> statement-breakpoint
CREATE INDEX "store_pictures_of_store" ON "store_pictures" USING btree ("store_id","position");--> statement-breakpoint
CREATE INDEX "stores_by_opening" ON "stores" USING btree ("opens_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "stores_by_popularity" ON "stores" USING btree ("popularity" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "stores_of_organiser" ON "stores" USING btree ("organiser_id","opens_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "stores_due" ON "stores" USING btree ("closes_at") WHERE "stores"."status" = 'open';--> statement-breakpoint
CREATE INDEX "stores_name" ON "stores" USING gin ("name_grams");--> statement-breakpoint
CREATE INDEX "stores_place" ON "stores" USING gist (point("longitude", "latitude"));--> statement-breakpoint
ALTER TABLE "sales" ADD CONSTRAINT "sales_store_id_stores_id_fk" FOREIGN KEY ("store_id") REFERENCES "public"."stores"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "bookings_one_per_unit" ON "bookings" USING btree ("sale_id","account_id","unit_no") WHERE "bookings"."one_per_unit" and "bookings"."status" in ('pending', 'booked');--> statement-breakpoint
CREATE INDEX "draw_entries_sorted" ON "draw_entries" USING btree ("sale_id","entry_id" collate "C");--> statement-breakpoint
CREATE INDEX "sales_of_store" ON "sales" USING btree ("store_id","opens_at");