#!/bin/sh
# Runs once, on an empty volume: one database and one role per service, and no role may open another's database.
set -eu

make_database() {
    psql --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname "${POSTGRES_DB:-postgres}" \
        --set name="$1" --set password="$2" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
}

make_database ingest "$INGEST_DB_PASSWORD"
make_database recommend "$RECOMMEND_DB_PASSWORD"
make_database publish "$PUBLISH_DB_PASSWORD"
