#!/bin/sh
# Makes restored data safe to serve: deletes every generation, so that no session, refresh token or one-time token of the backup is valid any
# more, also none that was revoked after the backup was made. Everybody logs in again. docs/runbooks/backup-and-restore.md says when and how.
#
#   restore.sh [redis-cli arguments...]      for example: restore.sh -h redis -p 6379 --user admin
#   REDISCLI_AUTH                            the password, as redis-cli takes it
#   KEY_PREFIX                               Storage:Redis:KeyPrefix, if there is one
#
# Run it after Redis has loaded the backup and BEFORE any host may reach it. On a cluster once a primary. It can be run again.
# The denylist comes back as it was at the time of the backup: what was denied later is not in it.
set -eu
prefix=${KEY_PREFIX:-}
case "$prefix" in *[\{\}\*\?\[\]\\\']*) echo "KEY_PREFIX may not hold braces, wildcards or quotes" >&2; exit 2 ;; esac

# One SCAN over everything and UNLINK in bounded steps; never KEYS. Answers with the cursor and how many it deleted.
script='
local page = redis.call("SCAN", ARGV[1], "MATCH", ARGV[2], "COUNT", 1000)
if #page[2] == 0 then return { page[1], 0 } end
return { page[1], redis.call("UNLINK", unpack(page[2])) }'

call() { redis-cli "$@"; }

[ "$(call "$@" ping)" = PONG ] || { echo "Redis does not answer, or is still loading; try again" >&2; exit 1; }

deleted=0
cursor=0
while :; do
  answer=$(call "$@" --raw eval "$script" 0 "$cursor" "${prefix}user:generation:*")
  cursor=$(printf '%s\n' "$answer" | sed -n 1p)
  count=$(printf '%s\n' "$answer" | sed -n 2p)
  case "$cursor$count" in *[!0-9]* | '') echo "Redis refused: $answer" >&2; exit 1 ;; esac
  deleted=$((deleted + count))
  [ "$cursor" != 0 ] || break
done

left=$(call "$@" --scan --pattern "${prefix}user:generation:*")
[ -z "$left" ] || { echo "There are generations again: does a host write already? Stop it and run this again" >&2; exit 1; }
echo "$deleted generations deleted; every session and token of the backup is void"
