#!/bin/bash
# Runs inside `unshare --mount --uts`: makes a container's root of the host's system folders and the pod's volumes, all
# read-only but the volumes that are not, drops every privilege and becomes the container's program.
#   sandbox.sh <root> <host name> <user id> <group id> <command...>
# <root>.mounts has a line a mount: <kind>\t<source>\t<target>; kind is ro, rw, or memory (source: its size in bytes).
set -euo pipefail
root=$1 name=$2 user=$3 group=$4
shift 4

mount --make-rprivate /
hostname "$name"
mount --bind "$root" "$root"
mount --bind /usr "$root/usr"
mount -o remount,bind,ro "$root/usr"
mount --rbind /dev "$root/dev"
mount --bind /proc "$root/proc"
while IFS=$'\t' read -r kind source target; do
  case $kind in
    memory) mount -t tmpfs -o "size=$source,mode=1777" tmpfs "$root$target" ;;
    *) mount --bind "$source" "$root$target" ;;
  esac
  [ "$kind" != ro ] || mount -o remount,bind,ro "$root$target"
done <"$root.mounts"
mount -o remount,bind,ro "$root"

# The death of the tests ends it too; the first setpriv's change of user would forget that.
exec chroot "$root" /usr/bin/setpriv --reuid "$user" --regid "$group" --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs \
  /usr/bin/setpriv --pdeathsig KILL "$@"
