CREATE TABLE "draw_entries" (
	"sale_id" text NOT NULL,
	"account_id" text NOT NULL,
	"entry_id" text NOT NULL,
	"entered_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "draw_entries_sale_id_account_id_pk" PRIMARY KEY("sale_id","account_id"),
	CONSTRAINT "draw_entries_entry" UNIQUE("sale_id","entry_id")
);
--> statement-breakpoint
CREATE TABLE "sale_draws" (
	"sale_id" text PRIMARY KEY NOT NULL,
	"seed" text NOT NULL,
	"commitment" text NOT NULL,
	"digest" text,
	"entrants" integer,
	"closed_at" timestamp (3) with time zone,
	"epoch" integer,
	"drawn_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "queue_leaves" ADD COLUMN "reason" text DEFAULT 'left' NOT NULL;--> statement-breakpoint
ALTER TABLE "sales" ADD COLUMN "grace_seconds" integer DEFAULT 90 NOT NULL;--> statement-breakpoint
ALTER TABLE "sales" ADD COLUMN "single_seats" text DEFAULT 'allowed' NOT NULL;--> statement-breakpoint
ALTER TABLE "sales" ADD COLUMN "notice" text;--> statement-breakpoint
ALTER TABLE "sales" ADD COLUMN "notice_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "draw_entries" ADD CONSTRAINT "draw_entries_sale_id_sales_id_fk" FOREIGN KEY ("sale_id") REFERENCES "public"."sales"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "draw_entries" ADD CONSTRAINT "draw_entries_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sale_draws" ADD CONSTRAINT "sale_draws_sale_id_sales_id_fk" FOREIGN KEY ("sale_id") REFERENCES "public"."sales"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sales" ADD CONSTRAINT "sales_queue_mode" CHECK ("sales"."queue_mode" in ('fifo', 'lottery'));--> statement-breakpoint
ALTER TABLE "sales" ADD CONSTRAINT "sales_grace" CHECK ("sales"."grace_seconds" between 1 and 3600);--> statement-breakpoint
ALTER TABLE "sales" ADD CONSTRAINT "sales_single_seats" CHECK ("sales"."single_seats" in ('allowed', 'refused'));--> statement-breakpoint
ALTER TABLE "sales" ADD CONSTRAINT "sales_notice" CHECK (("sales"."notice" is null) = ("sales"."notice_at" is null));