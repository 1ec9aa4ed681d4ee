#!/bin/sh
# Stands in for Prisma's native schema engine, which `prisma generate` only asks for its version.
echo 'schema-engine-cli 0000000000000000000000000000000000000000'
