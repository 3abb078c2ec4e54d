#!/bin/sh
# Starts Redis with redis.conf and the users of users.acl. For a container's entry point and for a plain machine; POSIX sh.
#
#   REDIS_ADMIN_PASSWORD, REDIS_WORKER_PASSWORD, REDIS_WEBHOST_PASSWORD
#                       each as a variable, or as a file named by <NAME>_FILE, or as /run/secrets/<name in small letters>
#   REDIS_USERS         separate (default): users worker and webhost; single: one user `default` with what both may do and the
#                       password REDIS_WORKER_PASSWORD, for a setting that names no user
#   KEY_PREFIX          Storage:Redis:KeyPrefix of the programs, if there is one: goes in front of every key and channel that a program may use
#   REDIS_DATA          folder of the data, default /data
#   REDIS_RUN           folder for the rendered user file, default /tmp: it holds hashes and no password
# Further arguments go to redis-server and win over redis.conf.
#
#   start.sh users      prints the user file instead, for a Redis that something else starts: as its `aclfile`, or line by line as ACL SETUSER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
data=${REDIS_DATA:-/data}
rendered=${REDIS_RUN:-/tmp}/users.acl
prefix=${KEY_PREFIX:-}
# Redis would read these as a pattern, as the next word, or as the end of a selector.
case "$prefix" in *[!A-Za-z0-9_.:/@-]*) echo "KEY_PREFIX is '$prefix'; a user file may have letters, digits and _.:/@- in it" >&2; exit 2 ;; esac

secret() {
  small=$(printf '%s' "$1" | tr '[:upper:]' '[:lower:]')
  eval "value=\${$1:-} file=\${$1_FILE:-/run/secrets/$small}"
  if [ -z "$value" ] && [ -r "$file" ]; then value=$(cat "$file"); fi
  [ -n "$value" ] || { echo "$1 is not set, and neither $1_FILE nor /run/secrets/$small can be read" >&2; exit 2; }
  printf '%s' "$value" | sha256sum | cut -d ' ' -f 1
}

# The words that follow `on #HASH` of a user.
rights() { printf '%s\n' "$joined" | sed -n "s/^user $1 on #[A-Z_]* //p"; }

joined=$(grep -v -e '^#' -e '^$' "$here/users.acl" | awk '/^user /{ if (line) print line; line = $0; next } { sub(/^ +/, ""); line = line " " $0 } END { print line }')
case "${REDIS_USERS:-separate}" in
  separate) ;;
  single)
    joined="$(printf '%s\n' "$joined" | grep '^user admin ')
user default on #HASH_OF_REDIS_WORKER_PASSWORD $(rights worker) $(rights webhost | sed -e 's/resetchannels //' -e 's/-@all //')" ;;
  *) echo "REDIS_USERS is '$REDIS_USERS'; expected separate or single" >&2; exit 2 ;;
esac

# Not into the worker's selector, which lets it weigh keys that are nobody's of ours.
joined=$(printf '%s\n' "$joined" | sed -e "s|\( %R~\)|\1$prefix|g" -e "s|\( [~&]\)|\1$prefix|g")

for name in REDIS_ADMIN_PASSWORD REDIS_WORKER_PASSWORD REDIS_WEBHOST_PASSWORD; do
  case "$joined" in *"#HASH_OF_$name"*) ;; *) continue ;; esac
  hash=$(secret "$name")
  joined=$(printf '%s\n' "$joined" | sed "s/#HASH_OF_$name/#$hash/")
done

if [ "${1:-}" = users ]; then
  printf '%s\n' "$joined"
  exit
fi

umask 077
printf '%s\n' "$joined" >"$rendered"
unset REDIS_ADMIN_PASSWORD REDIS_WORKER_PASSWORD REDIS_WEBHOST_PASSWORD
exec redis-server "$here/redis.conf" --dir "$data" --aclfile "$rendered" "$@"
