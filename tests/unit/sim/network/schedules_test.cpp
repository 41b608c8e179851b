#include "agent/host/sim/network/schedules.h"

#include "agent/kinds/schedules/audit.h"
#include "tests/support/must.h"
#include "tests/support/sample.h"

namespace relab::agent::sim {

namespace {

using schedules::AuditSchedules;

const FileStatus script{.type = FileType::regular, .mode = 0755};

void timers(SimHost& host) {
  host.directory("/run/systemd/system");
  host.answer("systemctl list-timers --all --no-pager --output=json",
              {.out = sample("pve/systemctl-list-timers.json")});
}

/// A Proxmox host as recorded, with every oddity that cron knows.
void recorded(SimHost& host) {
  timers(host);
  host.file("/usr/sbin/cron", "", script);
  host.file("/etc/crontab",
            "# comment\nSHELL=/bin/sh\n\n17 * * * * root cd / && run-parts --report /etc/cron.x\n");
  host.file("/etc/cron.d/zfsutils-linux", sample("pve/cron.d-zfsutils-linux.txt"));
  host.file("/etc/cron.d/secret", "TOKEN=canary\n@daily root push --password canary\n");
  host.file("/etc/cron.d/dos", "\r\n@daily root true\r\n");
  host.file("/etc/cron.d/cut", "@daily root one\n@daily root two");
  host.file("/etc/cron.d/job.dpkg-old", "@daily root x\n");
  host.file("/etc/cron.d/open", "@daily root x\n", {.mode = 0664});
  host.file("/etc/cron.d/mine", "@daily root x\n", {.mode = 0644, .uid = 1000});
  host.directory("/etc/cron.d/folder");
  host.file("/var/spool/cron/crontabs/root", sample("pve/crontab-root.txt"),
            {.type = FileType::regular, .mode = 0600});
  for (const auto* period : {"hourly", "daily", "weekly", "monthly", "yearly"})
    host.directory(std::string("/etc/cron.") + period);
  host.file("/etc/cron.daily/logrotate", "", script);
  host.file("/etc/cron.daily/backup.sh", "", script);
  host.file("/etc/cron.daily/asleep", "", {.type = FileType::regular, .mode = 0644});
  host.file("/opt/tidy.sh", "", script);
  host.link("/etc/cron.daily/tidy", "../../opt/tidy.sh");
  host.link("/etc/cron.daily/odd.sh", "/opt/tidy.sh");
  host.link("/etc/cron.daily/gone", "/opt/gone");
  host.directory("/etc/cron.weekly/folder");
  host.file("/etc/anacrontab", "SHELL=/bin/sh\n1 5 cron.daily run-parts /etc/cron.daily\n");
  host.file("/var/spool/cron/atjobs/a0000101c8a3b4", "", {.mode = 0700, .uid = 1000});
  host.file("/etc/pve/.version", "{}");
  host.file("/etc/pve/jobs.cfg",
            sample("pve/jobs.cfg") +
                "\nvzdump: old\n\tdow sat\n\tstarttime 02:00\n\tpool p\n\tmaxfiles 3\n");
  host.file("/etc/pve/vzdump.cron",
            "PATH=/bin\n0 2 * * 6 root vzdump 110 120 --storage local --mode=stop\n"
            "0 3 * * 6 root vzdump --all 1 --exclude 130 --prune-backups keep-last=2\n");
}

Message<AuditSchedules::Facts> audit(SimHost& host) {
  const auto params = must(Message<schema::AuditSchedules>::from_json("{}"));
  return must(AuditSchedules::observe(params.reader(), host));
}

void check_again(const Message<AuditSchedules::Facts>& facts, SimHost& host) {
  Draft<schema::World> draft;
  draft->setSchedules(facts.reader());
  const auto world = std::move(draft).finish();
  const Schedules part(host, world.reader());

  CHECK(audit(host).to_json() == facts.to_json());
}

}  // namespace

TEST_CASE("simulated schedules: an audit finds again what it was made of", "[sim][schedules]") {
  SimHost real;
  recorded(real);
  SECTION("jobs of old beside cron") {}
  SECTION("jobs of old by way of cron") { real.link("/etc/cron.d/vzdump", "/etc/pve/vzdump.cron"); }
  const auto facts = audit(real);
  SimHost host;
  timers(host);

  REQUIRE(facts.reader().getCoverage().getProblems().size() == 0);
  REQUIRE(facts.reader().getBackupJobs().size() == 5);
  REQUIRE(facts.reader().getScripts().size() == 7);
  check_again(facts, host);
}

TEST_CASE("simulated schedules: lines without a number follow each other", "[sim][schedules]") {
  const auto facts = must(Message<AuditSchedules::Facts>::from_json(
      R"({"cronVariables": [{"source": "f", "name": "MAILTO", "value": ""}],
          "cronJobs": [{"source": "f", "schedule": "@daily", "user": "root", "command": "true"},
                       {"source": "f", "line": 4000000000, "schedule": "@hourly", "user": "root",
                        "command": "false"}]})"));

  CHECK(crontab_text(facts.reader(), "f") == "MAILTO=\"\"\n@daily root true\n@hourly root false\n");
}

TEST_CASE("simulated schedules: what is absent stays absent", "[sim][schedules]") {
  SimHost bare;
  bare.file("/proc/1/comm", "sh\n");
  const auto facts = audit(bare);
  SimHost host;
  host.file("/proc/1/comm", "sh\n");

  CHECK(facts.reader().getCoverage().getParts().size() == 13);
  check_again(facts, host);
}

}  // namespace relab::agent::sim
