#!/bin/sh
# Takes a snapshot of a running Redis into a file, over the network, and looks whether it can be read.
#
#   backup.sh <file.rdb> [redis-cli arguments...]   for example: backup.sh auth-$(date +%F).rdb -h redis --user admin
#   REDISCLI_AUTH                                   the password, as redis-cli takes it
#
# The file holds personal data (addresses, devices), and no secret that logs anybody in. Keep it encrypted, and not longer than your users
# were told.
set -eu
[ $# -ge 1 ] || { echo "usage: backup.sh <file.rdb> [redis-cli arguments...]" >&2; exit 2; }
file=$1
shift
[ ! -e "$file" ] || { echo "$file is there already" >&2; exit 2; }
umask 077
redis-cli "$@" --rdb "$file.new" >&2
if command -v redis-check-rdb >/dev/null; then redis-check-rdb "$file.new" >&2; fi
mv "$file.new" "$file"
