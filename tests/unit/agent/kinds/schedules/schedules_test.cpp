#include "agent/host/sim/sim_host.h"
#include "agent/kinds/schedules/audit.h"
#include "tests/support/must.h"
#include "tests/support/sample.h"

namespace relab::agent::schedules {

namespace {

const std::string list_timers = "systemctl list-timers --all --no-pager --output=json";
const FileStatus script{.type = FileType::regular, .mode = 0755};

void machine(SimHost& host) {
  host.directory("/run/systemd/system");
  host.answer(list_timers, {.out = sample("pve/systemctl-list-timers.json")});
  host.file("/usr/sbin/cron", "", script);
  host.file("/etc/crontab", "17 * * * * root cd / && run-parts --report /etc/cron.hourly\n");
  host.file("/etc/cron.d/zfsutils-linux", sample("pve/cron.d-zfsutils-linux.txt"));
  host.file("/etc/cron.d/.placeholder", "# nothing\n");
  host.file("/var/spool/cron/crontabs/root", sample("pve/crontab-root.txt"),
            {.type = FileType::regular, .mode = 0600});
  for (const auto* period : {"hourly", "daily", "weekly", "monthly", "yearly"})
    host.directory(std::string("/etc/cron.") + period);
  host.file("/etc/cron.daily/logrotate", "", script);
  host.file("/etc/cron.daily/backup.sh", "", script);
  host.file("/etc/anacrontab", "1 5 cron.daily run-parts /etc/cron.daily\n");
  host.file("/var/spool/cron/atjobs/a0000101c8a3b4", "");
  host.file("/var/spool/cron/atjobs/.SEQ", "1");
  host.file("/etc/pve/.version", "{}");
  host.file("/etc/pve/jobs.cfg", sample("pve/jobs.cfg"));
}

Message<schema::AuditSchedules::Facts> observe(SimHost& host) {
  const auto params = must(Message<schema::AuditSchedules>::from_json("{}"));
  return must(AuditSchedules::observe(params.reader(), host));
}

std::vector<std::string> problems(schema::AuditSchedules::Facts::Reader facts) {
  std::vector<std::string> parts;
  for (const auto problem : facts.getCoverage().getProblems())
    parts.push_back(str(problem.getPart()));
  return parts;
}

std::vector<std::string> parts(schema::AuditSchedules::Facts::Reader facts) {
  std::vector<std::string> parts;
  for (const auto part : facts.getCoverage().getParts()) parts.push_back(str(part.getPart()));
  return parts;
}

}  // namespace

TEST_CASE("schedules audit: every kind of schedule is told", "[agent][schedules]") {
  SimHost host;
  machine(host);

  const auto message = observe(host);

  const auto facts = message.reader();
  CHECK(problems(facts).empty());
  CHECK(parts(facts).empty());
  REQUIRE(facts.getCronJobs().size() == 7);
  CHECK(view(facts.getCronJobs()[0].getSource()) == "/etc/crontab");
  CHECK(view(facts.getCronJobs()[6].getUser()) == "root");
  CHECK(facts.getCronVariables().size() == 4);
  CHECK(facts.getCrontabs().size() == 3);
  REQUIRE(facts.getScripts().size() == 2);
  CHECK_FALSE(facts.getScripts()[0].getRuns());
  CHECK(facts.getScripts()[1].getRuns());
  CHECK(facts.getAnacronJobs().size() == 1);
  CHECK(facts.getTimers().size() == 2);
  REQUIRE(facts.getAtJobs().size() == 1);
  CHECK(facts.getBackupJobs().size() == 2);
}

TEST_CASE("schedules audit: secrets of crontabs stay where they are", "[agent][schedules]") {
  SimHost host;
  machine(host);
  host.file(
      "/etc/cron.d/offsite",
      "BORG_PASSPHRASE=canary-1\nURL=https://me:canary-2@host/\n"
      "5 5 * * * root API_TOKEN=canary-3 push https://me:canary-4@host/ --password canary-5\n");

  const auto message = observe(host);

  CHECK(message.to_json().find("canary") == std::string::npos);
  CHECK(message.reader().getCronVariables().size() == 6);
}

TEST_CASE("schedules audit: crontabs that cron passes over hold no jobs", "[agent][schedules]") {
  using Row = std::tuple<const char*, const char*, FileStatus>;
  const auto [name, text, status] = GENERATE(table<const char*, const char*, FileStatus>({
      Row{"job.dpkg-old", "@daily root x\n", FileStatus{.mode = 0644}},
      Row{"job", "@daily root x\n", FileStatus{.mode = 0664}},
      Row{"job", "@daily root x\n", FileStatus{.mode = 0644, .uid = 1000}},
      Row{"job", "@daily root x", FileStatus{.mode = 0644}},
  }));
  SimHost host;
  machine(host);
  host.file(Path("/etc/cron.d") / name, text, status);

  const auto message = observe(host);

  const auto facts = message.reader();
  REQUIRE(facts.getCrontabs().size() == 4);
  CHECK(view(facts.getCrontabs()[1].getNotes()).starts_with("cron passes over it"));
  CHECK(facts.getCronJobs().size() == 7);
  CHECK(problems(facts).empty());
}

TEST_CASE("schedules audit: a broken crontab is a problem, and the others are read",
          "[agent][schedules]") {
  SimHost host;
  machine(host);
  host.file("/etc/cron.d/broken", "every day please\n");

  const auto message = observe(host);

  CHECK(problems(message.reader()) == std::vector<std::string>{"/etc/cron.d/broken"});
  CHECK(message.reader().getCronJobs().size() == 7);
}

TEST_CASE("schedules audit: a crontab that links to Proxmox's is read through the link",
          "[agent][schedules]") {
  SimHost host;
  machine(host);
  host.file("/etc/pve/vzdump.cron", "0 2 * * 6 root vzdump 110 --storage local\n");
  host.link("/etc/cron.d/vzdump", "/etc/pve/vzdump.cron");

  const auto message = observe(host);

  const auto facts = message.reader();
  CHECK(problems(facts).empty());
  CHECK(facts.getCronJobs().size() == 8);
  REQUIRE(facts.getBackupJobs().size() == 3);
  CHECK(view(facts.getBackupJobs()[2].getSource()) == "/etc/pve/vzdump.cron");
}

TEST_CASE("schedules audit: a bare machine says what it does not have", "[agent][schedules]") {
  SimHost host;
  host.file("/proc/1/comm", "sh\n");

  const auto message = observe(host);

  CHECK(problems(message.reader()).empty());
  CHECK(parts(message.reader()) ==
        std::vector<std::string>{"cron", "/etc/crontab", "/etc/cron.d", "/var/spool/cron/crontabs",
                                 "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly",
                                 "/etc/cron.monthly", "/etc/cron.yearly", "anacron",
                                 "systemd timers", "at jobs", "Proxmox backup jobs"});
}

TEST_CASE("schedules audit: what cannot be read is a problem each", "[agent][schedules]") {
  using Row = std::tuple<const char*, const char*>;
  const auto [path, part] = GENERATE(table<const char*, const char*>({
      Row{"/etc/crontab", "/etc/crontab"},
      Row{"/etc/cron.d", "/etc/cron.d"},
      Row{"/etc/cron.daily", "/etc/cron.daily"},
      Row{"/var/spool/cron/crontabs/root", "/var/spool/cron/crontabs/root"},
      Row{"/etc/anacrontab", "anacron"},
      Row{"/var/spool/cron/atjobs", "at jobs"},
      Row{"/etc/pve/jobs.cfg", "/etc/pve/jobs.cfg"},
      Row{"/etc/pve/.version", "Proxmox backup jobs"},
  }));
  SimHost host;
  machine(host);
  host.broken(path, {.fault = Fault::refused, .what = "permission denied"});

  const auto message = observe(host);

  CHECK(problems(message.reader()) == std::vector<std::string>{part});
}

TEST_CASE("schedules audit: an unmounted /etc/pve has no jobs to tell, and says so",
          "[agent][schedules]") {
  SimHost host;
  machine(host);
  host.remove("/etc/pve/.version");

  const auto message = observe(host);

  CHECK(problems(message.reader()) == std::vector<std::string>{"Proxmox backup jobs"});
}

TEST_CASE("schedules audit: a systemctl that fails is a problem", "[agent][schedules]") {
  SimHost host;
  machine(host);
  host.answer(list_timers, {.out = "[]", .truncated = true});

  const auto message = observe(host);

  CHECK(problems(message.reader()) == std::vector<std::string>{"systemd timers"});
}

}  // namespace relab::agent::schedules
