DROP INDEX "stores_open_by_opening";--> statement-breakpoint
DROP INDEX "stores_open_by_popularity";--> statement-breakpoint
DROP INDEX "stores_open_by_category";--> statement-breakpoint
DROP INDEX "stores_by_opening";--> statement-breakpoint
DROP INDEX "stores_by_popularity";--> statement-breakpoint
CREATE INDEX "stores_by_category" ON "stores" USING btree ("status","category","opens_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "stores_by_opening" ON "stores" USING btree ("status","opens_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "stores_by_popularity" ON "stores" USING btree ("status","popularity" DESC NULLS FIRST,"id" DESC NULLS FIRST);