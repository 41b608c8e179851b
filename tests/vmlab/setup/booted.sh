# After the boot: wait for systemd, and give the network card the address that QEMU forwards to.
for _ in $(seq 300); do
  case $(systemctl is-system-running || true) in running | degraded) break ;; esac
  sleep 0.5
done
systemctl --failed --no-legend --plain >&2
case $(systemctl is-system-running || true) in running) ;; *) exit 1 ;; esac
# Its driver may come after all units.
for _ in $(seq 300); do
  [ -e /sys/class/net/eth0 ] && break
  sleep 0.2
done
ip address add 10.0.2.15/24 dev eth0
ip link set eth0 up
modprobe zfs
modprobe -a bridge 8021q veth wireguard nf_tables overlay
