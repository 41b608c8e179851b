# The reference lab: rpool as a mirror, datapool as an encrypted RAIDZ2, data worth keeping in both.
by_id=/dev/disk/by-id
zpool create -f -o ashift=12 -O mountpoint=none -O compression=lz4 rpool \
  mirror $by_id/virtio-VMOS0001 $by_id/virtio-VMOS0002
zfs create -o mountpoint=none rpool/ROOT
zfs create -o mountpoint=/rpool-root rpool/ROOT/pve-1
zfs create -o mountpoint=/rpool-data rpool/data
printf 'correct horse battery' | zpool create -f -o ashift=12 -O mountpoint=/datapool -O encryption=aes-256-gcm \
  -O keyformat=passphrase -O keylocation=prompt -O compression=lz4 -O acltype=posixacl -O xattr=sa datapool \
  raidz2 $by_id/virtio-VMDATA01 $by_id/virtio-VMDATA02 $by_id/virtio-VMDATA03 $by_id/virtio-VMDATA04
zfs create datapool/media
zfs create -o recordsize=1M datapool/media/films
zfs create datapool/pbs
zfs create -o quota=200M datapool/documents
zfs create -s -V 64M datapool/vm-100-disk-0
head -c 12000000 /dev/urandom >/datapool/media/films/film.bin
for number in 1 2 3 4 5; do head -c 20000 /dev/urandom | base64 >/datapool/documents/letter$number.txt; done
mkdir -p /datapool/documents/sub /datapool/documents/config
ln -s ../letter1.txt /datapool/documents/sub/link
printf 'port = 8989\n' >/datapool/documents/config/config.ini
setfattr -n user.tag -v kept /datapool/documents/letter1.txt
setfacl -m u:1234:r /datapool/documents/letter2.txt
head -c 100000 /dev/urandom | dd of=/dev/zvol/datapool/vm-100-disk-0 bs=4k conv=fsync status=none
echo hello >/rpool-data/note
zfs snapshot -r datapool@daily-1
head -c 500000 /dev/urandom >/datapool/documents/newer.bin
sync
