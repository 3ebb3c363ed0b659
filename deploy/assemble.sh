#!/bin/sh
# assemble.sh ROOT PROGRAMS: makes the root folder of the image in ROOT out of the programs in the folder PROGRAMS: the two
# programs, one user, and nothing else: no shell, no packages, no libraries. To be run as root, for the owners of folders.
set -eu
root=$1
programs=$2
mkdir -p "$root/usr/local/bin" "$root/var/lib/arca" "$root/var/log/arca" "$root/etc/arca"
cp "$programs/arcad" "$programs/arca" "$root/usr/local/bin/"
printf 'arca:x:10001:10001::/var/lib/arca:/sbin/nologin\n' > "$root/etc/passwd"
printf 'arca:x:10001:\n' > "$root/etc/group"
printf 'hosts: files dns\n' > "$root/etc/nsswitch.conf"
chown -R 10001:10001 "$root/var/lib/arca" "$root/var/log/arca"
chmod 0700 "$root/var/lib/arca" "$root/var/log/arca"
