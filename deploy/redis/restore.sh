#!/bin/sh
# Makes restored data safe to serve: deletes every generation, so that no session, refresh token or one-time token of the backup is valid any
# more, also none that was revoked after the backup was made. Everybody logs in again. docs/runbooks/backup-and-restore.md says when and how.
#
#   restore.sh [redis-cli arguments...]      for example: restore.sh -h redis -p 6379 --user admin -n 2
#   REDISCLI_AUTH                            the password, as redis-cli takes it
#   KEY_PREFIX                               Storage:Redis:KeyPrefix, if there is one
#
# -n is Storage:Redis:Database, if it is not 0. Run it after Redis has loaded the backup and BEFORE any host may reach it. On a cluster once a
# primary. It can be run again. Exit code 3: nothing of ours is here, so this is the wrong prefix, database or server, and nothing was made safe.
# The denylist comes back as it was at the time of the backup: what was denied later is not in it.
set -eu
prefix=${KEY_PREFIX:-}
case "$prefix" in *[\{\}\*\?\[\]\\\']*) echo "KEY_PREFIX may not hold braces, wildcards or quotes" >&2; exit 2 ;; esac

# One SCAN over what is ours, in bounded steps; never KEYS. One UNLINK a key, because a page's keys lie in several slots of a cluster.
# Answers with the cursor, how many generations it deleted, and how many sessions and refresh tokens it saw.
script='
local page = redis.call("SCAN", ARGV[1], "MATCH", ARGV[2] .. "*", "COUNT", 1000)
local deleted, seen, start = 0, 0, #ARGV[2] + 1
for _, key in ipairs(page[2]) do
  if key:find("user:generation:", start, true) == start then
    deleted = deleted + redis.call("UNLINK", key)
  elseif key:find("session:{", start, true) == start or key:find("auth:refresh:{", start, true) == start then
    seen = seen + 1
  end
end
return { page[1], deleted, seen }'

call() { redis-cli "$@"; }

[ "$(call "$@" ping)" = PONG ] || { echo "Redis does not answer, or is still loading; try again" >&2; exit 1; }

deleted=0
seen=0
cursor=0
while :; do
  answer=$(call "$@" --raw eval "$script" 0 "$cursor" "$prefix")
  cursor=$(printf '%s\n' "$answer" | sed -n 1p)
  here=$(printf '%s\n' "$answer" | sed -n 2p)
  there=$(printf '%s\n' "$answer" | sed -n 3p)
  case "$cursor$here$there" in *[!0-9]* | '') echo "Redis refused: $answer" >&2; exit 1 ;; esac
  deleted=$((deleted + here))
  seen=$((seen + there))
  [ "$cursor" != 0 ] || break
done

left=$(call "$@" --scan --pattern "${prefix}user:generation:*")
[ -z "$left" ] || { echo "There are generations again: does a host write already? Stop it and run this again" >&2; exit 1; }
database=$(call "$@" client info | tr ' ' '\n' | sed -n 's/^db=//p')
where="under the prefix '$prefix' in database ${database:-?}"
if [ "$deleted" = 0 ] && [ "$seen" = 0 ]; then
  echo "Nothing of ours lies $where; nothing was made safe. KEY_PREFIX, -n or the server is wrong, or the backup is empty. Redis holds:" >&2
  call "$@" info keyspace >&2
  exit 3
fi
echo "$deleted generations deleted $where; every session and token of the backup is void ($seen sessions and refresh tokens seen)"
