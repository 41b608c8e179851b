#include "agent/kinds/schedules/backup_jobs.h"
#include "agent/kinds/schedules/crontab.h"
#include "agent/kinds/schedules/observe.h"
#include "agent/kinds/schedules/observe_cron.h"
#include "agent/kinds/schedules/timers.h"
#include "tests/support/must.h"
#include "tests/support/sample.h"

namespace relab::agent::schedules {

TEST_CASE("crontab: a user's own has no user column", "[agent][schedules]") {
  const auto crontab = must(parse_crontab(sample("pve/crontab-root.txt"), CrontabStyle::user));

  REQUIRE(crontab.jobs.size() == 4);
  CHECK(crontab.jobs[0].schedule == "15 3 * * *");
  CHECK(crontab.jobs[0].user.empty());
  CHECK(crontab.jobs[0].command.starts_with("/usr/local/bin/backup-configs.sh >>"));
  CHECK(crontab.jobs[2].schedule == "@reboot");
  CHECK(crontab.jobs[2].command.starts_with("sleep 60 && /usr/sbin/zfs load-key"));
  CHECK(crontab.jobs[3].line == 9);
  CHECK(crontab.jobs[3].command.find("\\%") != std::string::npos);
  REQUIRE(crontab.variables.size() == 3);
  CHECK(crontab.variables[2] == CronVariable{.line = 4, .name = "MAILTO", .value = ""});
  CHECK_FALSE(crontab.is_cut);
}

TEST_CASE("crontab: the system's names a user", "[agent][schedules]") {
  const auto crontab =
      must(parse_crontab(sample("pve/cron.d-zfsutils-linux.txt"), CrontabStyle::system));

  REQUIRE(crontab.jobs.size() == 2);
  CHECK(crontab.jobs[1].schedule == "24 0 8-14 * *");
  CHECK(crontab.jobs[1].user == "root");
  CHECK(crontab.jobs[1].command.starts_with("if [ $(date +\\%w) -eq 0 ]"));
}

TEST_CASE("crontab: odd but true lines", "[agent][schedules]") {
  const auto crontab = must(
      parse_crontab("  # indented\r\n\r\n\"A B\" = 'x y'\r\n*/5 0 1-7,9 jan mon-fri X=1 run\r\n",
                    CrontabStyle::user));

  CHECK(crontab.has_carriage_returns);
  REQUIRE(crontab.variables.size() == 1);
  CHECK(crontab.variables[0].name == "A B");
  CHECK(crontab.variables[0].value == "x y");
  REQUIRE(crontab.jobs.size() == 1);
  CHECK(crontab.jobs[0].command == "X=1 run");
}

TEST_CASE("crontab: a last line without an end is told", "[agent][schedules]") {
  CHECK(must(parse_crontab("@daily x", CrontabStyle::user)).is_cut);
  CHECK_FALSE(must(parse_crontab("", CrontabStyle::user)).is_cut);
}

TEST_CASE("crontab: a line that is none names its number and nothing else", "[agent][schedules]") {
  const auto* text = GENERATE("@never x\n", "* * * *\n", "* * * * *\n", "1 2 3 4 5 root\n",
                              "@daily root\n", "! * * * * root canary\n", "\x01\xFF\n");

  const auto crontab = parse_crontab(text, CrontabStyle::system);

  REQUIRE_FALSE(crontab);
  CHECK(crontab.error().sentence().starts_with("line 1"));
  CHECK(crontab.error().sentence().find("canary") == std::string::npos);
}

TEST_CASE("anacrontab: jobs and variables are read", "[agent][schedules]") {
  const auto anacrontab =
      must(parse_anacrontab("SHELL=/bin/sh\n# x\n1\t5\tcron.daily\trun-parts --report "
                            "/etc/cron.daily\n@monthly 15 m y\n"));

  REQUIRE(anacrontab.jobs.size() == 2);
  CHECK(anacrontab.jobs[0].delay == 5);
  CHECK(anacrontab.jobs[0].command == "run-parts --report /etc/cron.daily");
  CHECK(anacrontab.variables.size() == 1);
  CHECK_FALSE(parse_anacrontab("1 x y z\n"));
  CHECK_FALSE(parse_anacrontab("1 5 y\n"));
}

TEST_CASE("timers: microseconds become milliseconds", "[agent][schedules]") {
  const auto timers = must(parse_timers(sample("pve/systemctl-list-timers.json")));

  REQUIRE(timers.size() == 2);
  CHECK(timers[0] == Timer{.name = "fstrim.timer",
                           .activates = "fstrim.service",
                           .next = 1791331200000,
                           .last = 1791244800000});
}

TEST_CASE("timers: never is 0, whatever systemd calls it", "[agent][schedules]") {
  const auto timers = must(parse_timers(
      R"([{"unit":"a.timer","activates":"a","next":null,"last":18446744073709551615}])"));

  CHECK(timers[0].next == 0);
  CHECK(timers[0].last == 0);
  CHECK(must(parse_timers("[]")).empty());
}

TEST_CASE("timers: what is no list of timers is an error", "[agent][schedules]") {
  const auto* text = GENERATE("", "{}", "0 timers listed.", R"([{"next":1}])", "[3]");

  CHECK_FALSE(parse_timers(text));
}

TEST_CASE("backup jobs: those of jobs.cfg are read", "[agent][schedules]") {
  const auto jobs = must(parse_jobs_cfg(sample("pve/jobs.cfg")));

  REQUIRE(jobs.size() == 2);
  CHECK(jobs[0] == BackupJob{.name = "backup-7d1f0c2a-11aa",
                             .enabled = true,
                             .schedule = "02:30",
                             .guests = "all",
                             .exclude = "112",
                             .storage = "pbs-tank",
                             .mode = "snapshot",
                             .retention = "keep-daily=7,keep-weekly=4"});
  CHECK_FALSE(jobs[1].enabled);
  CHECK(jobs[1].guests == "110,130");
  CHECK(jobs[1].comment == "weekly media stack");
}

TEST_CASE("backup jobs: other kinds of jobs are none, and no 'enabled' is on",
          "[agent][schedules]") {
  const auto jobs =
      must(parse_jobs_cfg("realm-sync: x\n\tschedule daily\n\nvzdump: y\n\tpool a\n"));

  REQUIRE(jobs.size() == 1);
  CHECK(jobs[0].enabled);
  CHECK(jobs[0].guests == "pool a");
  CHECK_FALSE(parse_jobs_cfg("vzdump\n"));
}

TEST_CASE("backup jobs: the crontab of old is read", "[agent][schedules]") {
  const auto jobs = must(parse_vzdump_cron(
      "PATH=\"/usr/sbin:/usr/bin\"\n\n"
      "0 2 * * 6           root vzdump 110 130 --quiet 1 --mode snapshot --storage local\n"
      "0 3 * * *           root vzdump --all 1 --exclude 112 --storage=pbs\n"));

  REQUIRE(jobs.size() == 2);
  CHECK(jobs[0].guests == "110,130");
  CHECK(jobs[0].mode == "snapshot");
  CHECK(jobs[0].storage == "local");
  CHECK(jobs[1].guests == "all");
  CHECK(jobs[1].exclude == "112");
  CHECK(jobs[1].storage == "pbs");
}

TEST_CASE("at jobs: the due time is in the name", "[agent][schedules]") {
  CHECK(due_of("a0000101c8a3b4") == std::uint64_t{0x01c8a3b4} * 60000);
  CHECK_FALSE(due_of("a00001"));
  CHECK_FALSE(due_of("a00001zzzzzzzz"));
  CHECK_FALSE(due_of(""));
}

TEST_CASE("scripts: run-parts passes over dots, plain files and folders", "[agent][schedules]") {
  const FileStatus good{.type = FileType::regular, .mode = 0755};

  CHECK(why_not_run("backup", good).empty());
  CHECK_FALSE(why_not_run("backup.sh", good).empty());
  CHECK_FALSE(why_not_run("backup", {.type = FileType::regular, .mode = 0644}).empty());
  CHECK_FALSE(why_not_run("backup", {.type = FileType::directory, .mode = 0755}).empty());
}

}  // namespace relab::agent::schedules
