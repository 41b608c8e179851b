#include "controller/survival/cron_programs.h"

#include <catch2/catch.hpp>

namespace relab::controller {

TEST_CASE("cron programs: those that people wrote themselves are found", "[controller][survival]") {
  using Found = std::vector<std::string>;
  const auto [command, found] = GENERATE(table<std::string, Found>({
      {"/usr/local/bin/sync-photos >/dev/null 2>&1", {"/usr/local/bin/sync-photos"}},
      {"/opt/duckdns/duck.sh", {"/opt/duckdns/duck.sh"}},
      {"nice -n 19 ionice -c3 /root/backup.sh --all", {"/root/backup.sh"}},
      {"TZ=UTC python3 -u \"/srv/bot/main.py\" >> /root/bot.log", {"/srv/bot/main.py"}},
      {"flock -n 9 /home/eric/bin/pull", {"/home/eric/bin/pull"}},
      {"cd /opt/app && ./run; /opt/app/clean | mail -s x root", {"/opt/app/clean"}},
      {"> /root/log /usr/local/sbin/x", {"/usr/local/sbin/x"}},
      {"[ -x /opt/a/b ] && /opt/a/b", {"/opt/a/b", "/opt/a/b"}},
      // Data, and what packages bring.
      {"rsync -a /srv/photos /mnt/usb", {}},
      {"cd / && run-parts --report /etc/cron.hourly", {}},
      {"/usr/lib/zfs-linux/scrub", {}},
      {"/usr/local/", {}},
      {"", {}},
      {"&&;|", {}},
  }));
  INFO(command);

  CHECK(own_programs_of(command) == found);
}

}  // namespace relab::controller
