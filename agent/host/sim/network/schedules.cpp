#include "agent/host/sim/network/schedules.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <utility>
#include <vector>

#include "agent/host/sim/network/coverage.h"
#include "common/base/number.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

using Facts = schema::AuditSchedules::Facts::Reader;
using Job = schema::AuditSchedules::BackupJob::Reader;

constexpr std::string_view vzdump_cron = "/etc/pve/vzdump.cron";
constexpr std::string_view users_folder = "/var/spool/cron/crontabs";

/// More than these between two lines are left out.
constexpr std::uint32_t empty_lines_max = 1000;

/// Lines by their numbers, with empty ones between them.
class Numbered {
 public:
  void put(std::uint32_t number, std::string line) { lines_[number].push_back(std::move(line)); }
  std::string text(std::string_view end = "\n") const {
    std::string text;
    std::uint32_t at = 1;
    for (const auto& [number, same] : lines_)
      for (const auto& line : same) {
        if (number - at < empty_lines_max)
          for (; at < number; ++at) text += end;
        text += line;
        text += end;
        ++at;
      }
    return text;
  }

 private:
  std::map<std::uint32_t, std::vector<std::string>> lines_;
};

/// cron takes quotes off, and blanks without them.
std::string quoted(std::string_view value) {
  const bool is_plain = !value.empty() && value.find_first_of(" \t\"'") == std::string_view::npos;
  return is_plain ? std::string(value) : fmt::format("\"{}\"", value);
}

bool says(schema::AuditSchedules::Crontab::Reader crontab, std::string_view words) {
  return view(crontab.getNotes()).find(words) != std::string_view::npos;
}

Numbered lines_of(Facts facts, std::string_view path) {
  Numbered lines;
  const bool is_users = path.starts_with(users_folder);
  for (const auto variable : facts.getCronVariables())
    if (view(variable.getSource()) == path)
      lines.put(variable.getLine(), fmt::format("{}={}", quoted(view(variable.getName())),
                                                quoted(view(variable.getValue()))));
  for (const auto job : facts.getCronJobs())
    if (view(job.getSource()) == path)
      lines.put(job.getLine(),
                is_users ? fmt::format("{} {}", view(job.getSchedule()), view(job.getCommand()))
                         : fmt::format("{} {} {}", view(job.getSchedule()), view(job.getUser()),
                                       view(job.getCommand())));
  return lines;
}

/// Of a crontab that ends within a line the audit counts the jobs and tells none: cron does not run
/// them.
std::string cut_text(std::uint32_t jobs, bool is_users) {
  std::string text;
  for (std::uint32_t i = 0; i < jobs; ++i)
    text += is_users ? "@daily true\n" : "@daily root true\n";
  return text + "# cut";
}

void put_crontab(SimHost& host, Facts facts, schema::AuditSchedules::Crontab::Reader crontab) {
  const auto path = str(crontab.getPath());
  if (says(crontab, "no regular file")) return host.directory(path);
  FileStatus status{.type = FileType::regular, .mode = 0644};
  const bool is_users = path.starts_with(users_folder);
  constexpr std::uint32_t somebody = 1000;
  if (is_users) status.mode = 0600;
  if (says(crontab, "not root's")) status.uid = somebody;
  if (says(crontab, "others may write")) status.mode = 0666;
  auto text = crontab_text(facts, path);
  if (says(crontab, "CR LF")) text = lines_of(facts, path).text("\r\n");
  if (says(crontab, "has no end")) text = cut_text(crontab.getJobs(), is_users);
  // Proxmox's own crontab of old is read by way of a link.
  const bool is_link = path == "/etc/cron.d/vzdump" && any_in(facts.getBackupJobs(), [](auto job) {
                         return view(job.getSource()) == vzdump_cron;
                       });
  if (is_link) host.link(path, std::string(vzdump_cron));
  host.file(is_link ? Path(vzdump_cron) : Path(path), std::move(text), status);
}

void put_crontabs(SimHost& host, Facts facts) {
  const auto coverage = facts.getCoverage();
  if (!is_absent(coverage, "cron") && !is_there(host, "/usr/sbin/cron"))
    host.file("/usr/sbin/cron", "", {.type = FileType::regular, .mode = 0755});
  for (const std::string folder : {"/etc/cron.d", "/var/spool/cron/crontabs"})
    if (!is_absent(coverage, folder)) host.directory(folder);
  // Every Debian has one, until somebody takes it away.
  if (is_absent(coverage, "/etc/crontab")) host.remove("/etc/crontab");
  for (const auto crontab : facts.getCrontabs()) put_crontab(host, facts, crontab);
}

void put_script(SimHost& host, schema::AuditSchedules::Script::Reader script) {
  constexpr std::string_view link = "link to ";
  const auto why = view(script.getWhy());
  const auto path = Path(str(script.getFolder())) / str(script.getName());
  const Path real = str(script.getReal());
  if (real.empty()) return host.link(path, "/nonexistent");
  if (script.getRuns() && why.starts_with(link))
    host.link(path, std::string(why.substr(link.size())));
  else if (real != path)
    host.link(path, real.string());
  if (why.find("no regular file") != std::string_view::npos) return host.directory(real);
  const bool is_executable = why.find("not executable") == std::string_view::npos;
  host.file(real, "#!/bin/sh\n",
            {.type = FileType::regular, .mode = is_executable ? 0755U : 0644U});
}

void put_scripts(SimHost& host, Facts facts) {
  for (const auto* period : {"hourly", "daily", "weekly", "monthly", "yearly"})
    if (const auto folder = fmt::format("/etc/cron.{}", period);
        !is_absent(facts.getCoverage(), folder))
      host.directory(folder);
  for (const auto script : facts.getScripts()) put_script(host, script);
}

void put_anacron(SimHost& host, Facts facts) {
  if (is_absent(facts.getCoverage(), "anacron")) return;
  std::string text;
  for (const auto job : facts.getAnacronJobs())
    text += fmt::format("{}\t{}\t{}\t{}\n", view(job.getPeriod()), job.getDelay(),
                        view(job.getName()), view(job.getCommand()));
  host.file("/etc/anacrontab", text);
}

void put_at_jobs(SimHost& host, Facts facts) {
  const Path folder = "/var/spool/cron/atjobs";
  if (is_absent(facts.getCoverage(), "at jobs")) return;
  host.directory(folder);
  for (const auto job : facts.getAtJobs()) {
    const auto uid = parse_number<std::uint32_t>(view(job.getUser()));
    host.file(folder / str(job.getName()), "#!/bin/sh\n",
              {.type = FileType::regular, .mode = 0700, .uid = uid.value_or(0)});
  }
}

/// "all", "pool NAME" or numbers, as an option and its value.
std::pair<std::string, std::string> choice_of(Job job) {
  constexpr std::string_view pool = "pool ";
  const auto guests = view(job.getGuests());
  if (guests == "all") return {"all", "1"};
  if (guests.starts_with(pool)) return {"pool", std::string(guests.substr(pool.size()))};
  return {"vmid", std::string(guests)};
}

/// What a crontab of old says of a job whose crontab itself is not told.
std::string vzdump_line(Job job) {
  auto line = fmt::format("{} root vzdump", view(job.getSchedule()));
  const auto add = [&](std::string_view option, std::string_view value) {
    if (!value.empty()) line += fmt::format(" --{} {}", option, value);
  };
  auto [option, value] = choice_of(job);
  if (option == "vmid") {
    std::ranges::replace(value, ',', ' ');
    line += " " + value;
  } else {
    add(option, value);
  }
  add("exclude", view(job.getExclude()));
  add("storage", view(job.getStorage()));
  add("mode", view(job.getMode()));
  add("prune-backups", view(job.getRetention()));
  return line;
}

void put_backup_jobs(SimHost& host, Facts facts) {
  if (is_absent(facts.getCoverage(), "Proxmox backup jobs")) return;
  if (!is_there(host, "/etc/pve/.version")) host.file("/etc/pve/.version", "{}");
  if (const auto text = jobs_text(facts); !text.empty()) host.file("/etc/pve/jobs.cfg", text);
  if (is_there(host, vzdump_cron)) return;
  constexpr std::string_view line = "line ";
  Numbered lines;
  for (const auto job : facts.getBackupJobs())
    if (view(job.getSource()) == vzdump_cron && view(job.getName()).starts_with(line))
      lines.put(parse_number<std::uint32_t>(view(job.getName()).substr(line.size())).value_or(1),
                vzdump_line(job));
  if (const auto text = lines.text(); !text.empty()) host.file(vzdump_cron, text);
}

}  // namespace

std::string crontab_text(Facts facts, std::string_view path) {
  return lines_of(facts, path).text();
}

std::string jobs_text(Facts facts) {
  std::string text;
  for (const auto job : facts.getBackupJobs()) {
    if (view(job.getSource()) == vzdump_cron) continue;
    text += fmt::format("{}vzdump: {}\n", text.empty() ? "" : "\n", view(job.getName()));
    const auto add = [&](std::string_view option, std::string_view value) {
      if (!value.empty()) text += fmt::format("\t{} {}\n", option, value);
    };
    const auto [option, value] = choice_of(job);
    const auto retention = view(job.getRetention());
    constexpr std::string_view old_retention = "maxfiles=";
    add("comment", view(job.getComment()));
    add("schedule", view(job.getSchedule()));
    add(option, value);
    add("enabled", job.getEnabled() ? "1" : "0");
    add("exclude", view(job.getExclude()));
    add("mode", view(job.getMode()));
    if (retention.starts_with(old_retention))
      add("maxfiles", retention.substr(old_retention.size()));
    else
      add("prune-backups", retention);
    add("storage", view(job.getStorage()));
  }
  return text;
}

Schedules::Schedules(SimHost& host, World world) {
  const auto facts = world.getSchedules();
  put_crontabs(host, facts);
  put_scripts(host, facts);
  put_anacron(host, facts);
  put_at_jobs(host, facts);
  put_backup_jobs(host, facts);
}

}  // namespace relab::agent::sim
