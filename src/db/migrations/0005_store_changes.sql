CREATE TABLE "row_changes" (
	"subject" text NOT NULL,
	"slot" smallint NOT NULL,
	"count" bigint NOT NULL,
	CONSTRAINT "row_changes_subject_slot_pk" PRIMARY KEY("subject","slot")
);
--> statement-breakpoint
INSERT INTO "row_changes" ("subject", "slot", "count")
SELECT subject, slot, 0 FROM unnest(ARRAY['stores', 'sales']) AS subject, generate_series(0, 15) AS slot;
--> statement-breakpoint
-- Counts a statement that changed rows. The count is seen when the rows are: both with the commit. A writer takes a slot
-- that nobody else is writing, beginning at its own, so that writers do not wait for each other.
CREATE FUNCTION count_row_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM changed) THEN
    UPDATE row_changes SET count = count + 1
    WHERE subject = TG_ARGV[0] AND slot = (
      SELECT slot FROM row_changes WHERE subject = TG_ARGV[0]
      ORDER BY (slot + 16 - pg_backend_pid() % 16) % 16 LIMIT 1 FOR UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
      UPDATE row_changes SET count = count + 1 WHERE subject = TG_ARGV[0] AND slot = pg_backend_pid() % 16;
    END IF;
  END IF;
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER stores_inserted AFTER INSERT ON "stores" REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_row_change('stores');
--> statement-breakpoint
CREATE TRIGGER stores_updated AFTER UPDATE ON "stores" REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_row_change('stores');
--> statement-breakpoint
CREATE TRIGGER stores_deleted AFTER DELETE ON "stores" REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_row_change('stores');
--> statement-breakpoint
CREATE TRIGGER store_pictures_inserted AFTER INSERT ON "store_pictures" REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_row_change('stores');
--> statement-breakpoint
CREATE TRIGGER store_pictures_updated AFTER UPDATE ON "store_pictures" REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_row_change('stores');
--> statement-breakpoint
CREATE TRIGGER store_pictures_deleted AFTER DELETE ON "store_pictures" REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_row_change('stores');
--> statement-breakpoint
CREATE TRIGGER sales_inserted AFTER INSERT ON "sales" REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_row_change('sales');
--> statement-breakpoint
CREATE TRIGGER sales_updated AFTER UPDATE ON "sales" REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_row_change('sales');
--> statement-breakpoint
CREATE TRIGGER sales_deleted AFTER DELETE ON "sales" REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_row_change('sales');
