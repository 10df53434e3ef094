#!/bin/bash
# Runs once, when the volume is empty: a role and its own databases for Temporal, and one for the register.
# Neither role can read what belongs to the other.
set -euo pipefail

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  --set temporal_password="$TEMPORAL_DB_PASSWORD" --set register_password="$REGISTER_DB_PASSWORD" <<'SQL'
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE ROLE gamf LOGIN PASSWORD :'register_password';
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
CREATE DATABASE gamf OWNER gamf;
REVOKE CONNECT, TEMPORARY ON DATABASE temporal, temporal_visibility, gamf FROM PUBLIC;
SQL
