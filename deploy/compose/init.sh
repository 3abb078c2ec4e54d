#!/bin/sh
# Makes .env and secrets/ beside itself with random passwords. Does nothing when .env is there already, so that it can be run again.
#   init.sh [separate|single]   how Redis knows the programs: each by its own name (default), or both as one that has a password only
set -eu
file=$(dirname "$0")/.env
users=${1:-separate}
case "$users" in single | separate) ;; *) echo "usage: init.sh [separate|single]" >&2; exit 2 ;; esac
[ ! -e "$file" ] || { echo "$file is there already; nothing done" >&2; exit 0; }

password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
worker=$(password)
webhost=$(password)
worker_user=worker webhost_user=webhost
# One user `default` for both programs, so one password, and no name to send.
if [ "$users" = single ]; then webhost=$worker worker_user='' webhost_user=''; fi

admin=$(password) postgres=$(password) grafana=$(password)

# Only the owner enters the folder; the files can be read by the containers' users, into which they are mounted one by one.
secrets=$(dirname "$0")/secrets
mkdir -p -m 700 "$secrets"
secret() { printf '%s' "$2" >"$secrets/$1"; chmod 644 "$secrets/$1"; }
secret redis_admin_password "$admin"
secret redis_worker_password "$worker"
secret redis_webhost_password "$webhost"
secret postgres_password "$postgres"
secret grafana_password "$grafana"

umask 077
cat >"$file.new" <<TEXT
REDIS_USERS=$users
REDIS_WORKER_USER=$worker_user
REDIS_WORKER_PASSWORD=$worker
REDIS_WEBHOST_USER=$webhost_user
REDIS_WEBHOST_PASSWORD=$webhost
POSTGRES_PASSWORD=$postgres
WORKER_TOKEN=$(password)
# Where your people read docs/runbooks; alerts link there.
RUNBOOKS_URL=https://example.com/maintenance/docs/runbooks
TEXT
mv "$file.new" "$file"
echo "$file and $secrets written"
