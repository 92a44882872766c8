ALTER TABLE "stores" ADD COLUMN "address_folded" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "stores" ADD COLUMN "address_grams" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
CREATE INDEX "stores_open_by_opening" ON "stores" USING btree ("opens_at" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE "stores"."status" = 'open';--> statement-breakpoint
CREATE INDEX "stores_open_by_popularity" ON "stores" USING btree ("popularity" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE "stores"."status" = 'open';--> statement-breakpoint
CREATE INDEX "stores_open_by_category" ON "stores" USING btree ("category","opens_at" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE "stores"."status" = 'open';--> statement-breakpoint
CREATE INDEX "stores_address" ON "stores" USING gin ("address_grams");