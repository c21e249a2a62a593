#!/bin/sh
# Makes Temporal's two databases in PostgreSQL, and brings their tables to the version of this image. A second time it
# changes nothing. The password is in SQL_PASSWORD.
set -eu

migrate() {
    database=$1 folder=$2
    tool="temporal-sql-tool --plugin postgres12 --endpoint postgresql --port 5432 --user parley --database $database"
    echo "Bringing the database $database up to date."
    $tool create-database || echo "It is there already."
    $tool setup-schema --version 0.0 || echo "It has tables already."
    $tool update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$folder/versioned"
}

migrate temporal temporal
migrate temporal_visibility visibility
