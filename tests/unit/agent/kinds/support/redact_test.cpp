#include "agent/kinds/support/redact.h"

#include "tests/support/must.h"

namespace relab::agent {

TEST_CASE("redaction: secrets go, the rest of the line stays", "[agent][support][redact]") {
  using Row = std::tuple<const char*, const char*>;
  const auto [line, clean] = GENERATE(table<const char*, const char*>({
      Row{"", ""},
      Row{"/usr/bin/backup --quiet", "/usr/bin/backup --quiet"},
      Row{"PASSWORD=x run", "PASSWORD=*** run"},
      Row{"env api_token='a b' run", "env api_token=*** run"},
      Row{"restic --password x y", "restic --password *** y"},
      Row{"restic --password=x y", "restic --password=*** y"},
      Row{"restic --password-file /root/p y", "restic --password-file /root/p y"},
      Row{"curl https://u:p@h/x", "curl https://u:***@h/x"},
      Row{"curl https://u:p/q@h/x", "curl https://u:***@h/x"},
      Row{"git clone https://ghp_0123456789abcdefghijk@h/x", "git clone https://***@h/x"},
      Row{"ssh://git@h/x", "ssh://git@h/x"},
      Row{"curl 'http://h/api?apikey=abc&x=1'", "curl 'http://h/api?apikey=***&x=1'"},
      Row{"curl -H \"X-Api-Key: abc d\" h", "curl -H \"X-Api-Key: ***\" h"},
      Row{"curl -H 'Authorization: Bearer abc' h", "curl -H 'Authorization: ***' h"},
      Row{"curl -u me:pw h", "curl -u me:*** h"},
      Row{"curl -u me h", "curl -u me h"},
      Row{"sshpass -p pw ssh h", "sshpass -p *** ssh h"},
      Row{"sshpass -ppw ssh h", "sshpass -p*** ssh h"},
      Row{"mysqldump -u root -ppw db", "mysqldump -u root -p*** db"},
      Row{"mkdir -p /x", "mkdir -p /x"},
      Row{"zfs load-key -L file:///root/tank.key tank",
          "zfs load-key -L file:///root/tank.key tank"},
      Row{"TOKEN=", "TOKEN="},
      Row{"KEY=a\\ b c", "KEY=*** c"},
      Row{"KEY=\"open", "KEY=***"},
      Row{"KEY=end\\", "KEY=***"},
  }));

  CHECK(redact(line) == clean);
}

TEST_CASE("redaction: what well-known programs take by options of their own goes",
          "[agent][support][redact]") {
  using Row = std::tuple<const char*, const char*>;
  const auto [line, clean] = GENERATE(table<const char*, const char*>({
      Row{"curl -uuser:PW http://x", "curl -uuser:*** http://x"},
      Row{"curl -u user:PW http://x", "curl -u user:*** http://x"},
      Row{"curl -u 'user:P W' http://x", "curl -u 'user:*** http://x"},
      Row{"curl -u user:'P W' http://x", "curl -u user:*** http://x"},
      Row{"sh -c \"curl -u user:'P W' x\" y", "sh -c \"curl -u user:*** x\" y"},
      Row{"curl -u\"user:P W\" x", "curl -u\"user:*** x"},
      Row{"curl -sSfu user:PW x", "curl -sSfu user:*** x"},
      Row{"curl -sSuuser:PW x", "curl -sSuuser:*** x"},
      Row{"curl --proxy-user=user:PW x", "curl --proxy-user=user:*** x"},
      Row{"curl -U user:PW x", "curl -U user:*** x"},
      Row{"smbclient //h/s -U user%PW", "smbclient //h/s -U user%***"},
      Row{"smbclient //h/s -Uuser%PW -c ls", "smbclient //h/s -Uuser%*** -c ls"},
      Row{"smbclient //h/s --user=user%PW", "smbclient //h/s --user=user%***"},
      Row{"smbclient //h/s --user user%PW", "smbclient //h/s --user user%***"},
      Row{"openssl enc -aes256 -k PW -in x", "openssl enc -aes256 -k *** -in x"},
      Row{"openssl enc -pass pass:PW -in x", "openssl enc -pass pass:*** -in x"},
      Row{"openssl enc -pass file:/root/p", "openssl enc -pass file:/root/p"},
      Row{"zip -P PW a b", "zip -P *** a b"},
      Row{"cryptsetup open /dev/sdb x <<< PW", "cryptsetup open /dev/sdb x <<< ***"},
      Row{"KEY=a'b c'd e", "KEY=*** e"},
  }));

  CHECK(redact(line) == clean);
}

TEST_CASE("redaction: what is piped into a program goes", "[agent][support][redact]") {
  using Row = std::tuple<const char*, const char*>;
  const auto [line, clean] = GENERATE(table<const char*, const char*>({
      Row{"echo PW | cryptsetup open /dev/sdb x", "echo *** | cryptsetup open /dev/sdb x"},
      Row{"echo PW|cryptsetup open x", "echo ***|cryptsetup open x"},
      Row{"echo -n 'P | W' | cryptsetup open x", "echo -n *** | cryptsetup open x"},
      Row{"sleep 1; /bin/echo P W 2>&1 | x", "sleep 1; /bin/echo *** | x"},
      Row{"printf '%s\\n' PW | x", "printf *** | x"},
      Row{"sh -c 'echo PW | x'", "sh -c 'echo *** | x'"},
      Row{"(echo PW; echo PW2) | smbpasswd -s u", "(echo ***; echo ***) | smbpasswd -s u"},
      Row{"{ echo PW; echo PW2; } | x", "{ echo ***; echo ***; } | x"},
      Row{"echo done", "echo done"},
      Row{"echo start; ls | wc -l", "echo start; ls | wc -l"},
      Row{"ls $(echo /x) && ls | wc", "ls $(echo /x) && ls | wc"},
      Row{"test -e /x || echo gone || true", "test -e /x || echo gone || true"},
      Row{"echo 1 > /proc/sys/x", "echo 1 > /proc/sys/x"},
      Row{"echo | x", "echo | x"},
  }));

  CHECK(redact(line) == clean);
}

TEST_CASE("redaction: a secret between a name and a host goes without a scheme, too",
          "[agent][support][redact]") {
  using Row = std::tuple<const char*, const char*>;
  const auto [line, clean] = GENERATE(table<const char*, const char*>({
      Row{"proxmox-backup-client backup --repository 'u@pbs!tok:PW@h:ds'",
          "proxmox-backup-client backup --repository 'u@pbs!tok:***@h:ds'"},
      Row{"PBS_REPOSITORY=root@pam:P/W@h:ds x", "PBS_REPOSITORY=root@pam:***@h:ds x"},
      Row{"restic -r rest:https://u:PW@h:8000/x", "restic -r rest:https://u:***@h:8000/x"},
      Row{"mount user:P:W@host x", "mount user:***@host x"},
      Row{"mount user:P/W@host x", "mount user:***@host x"},
      Row{"mount user:P@W@host x", "mount user:***@host x"},
      Row{"curl https://api.telegram.org/bot123456:ABC-d_e/sendMessage?text=x",
          "curl https://api.telegram.org/bot123456:***/sendMessage?text=x"},
      Row{"tell 123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw5 x", "tell 123456789:*** x"},
      Row{"curl https://discord.com/api/webhooks/1/abc x",
          "curl https://discord.com/api/webhooks/*** x"},
      Row{"curl 'https://hooks.slack.com/services/T0/B0/x'",
          "curl 'https://hooks.slack.com/services/***'"},
  }));

  CHECK(redact(line) == clean);
}

TEST_CASE("redaction: times, paths, places and formats stay", "[agent][support][redact]") {
  const auto* line = GENERATE(
      "rsync -a /srv/ user@host:/srv/", "rsync -a user@host:srv/a@b /srv", "scp a root@h:b",
      "rsync -a /srv/ user@host::module/x", "backup --at 03:00 root@host", "at 03:00:10",
      "zfs send tank/a@b | ssh h zfs recv tank/a", "syncoid tank/a h:tank/a@x",
      "docker run -v /a:/b:ro lscr.io/linuxserver/sonarr:latest@sha256:ab", "mail mailto:root@host",
      "date -u +%H:%M", "date -u '+%H:%M'", "sudo -u www-data php /x",
      "ip link set aa:bb:cc:dd:ee:ff", "curl -k https://h:8080/x", "psql -U postgres db",
      "vzdump 112 --storage local:backup", "find / -user root",
      "borg create user@host:/b::n-{now} /x", "mount -o uid=1000:gid=3 x");

  CHECK(redact(line) == line);
}

TEST_CASE("redaction: names of secrets are told in any case", "[agent][support][redact]") {
  CHECK(is_secret_name("PGPASSWORD"));
  CHECK(is_secret_name("borg_passphrase"));
  CHECK(is_secret_name("RESTIC_Token"));
  CHECK_FALSE(is_secret_name("PATH"));
  CHECK_FALSE(is_secret_name(""));
}

}  // namespace relab::agent
