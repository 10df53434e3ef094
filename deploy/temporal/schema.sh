#!/bin/sh
# One shot, safe to run again: brings Temporal's two databases to the schema of this image's version.
# SQL_PASSWORD is in the environment.
set -eu

schema=/etc/temporal/schema/postgresql/v12
for store in temporal:temporal temporal_visibility:visibility; do
  tool="temporal-sql-tool --plugin postgres12 --ep postgresql -p 5432 -u temporal --db ${store%%:*}"
  $tool setup-schema -v 0.0
  $tool update-schema -d "$schema/${store##*:}/versioned"
done
