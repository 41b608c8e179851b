#include "agent/kinds/schedules/backup_jobs.h"

#include <fmt/format.h>
#include <map>

#include "agent/kinds/schedules/crontab.h"
#include "agent/kinds/support/section_config.h"
#include "common/base/text.h"

namespace relab::agent::schedules {

namespace {

std::string guests_of(std::string_view all, std::string_view pool, std::string_view vmids) {
  if (all == "1") return "all";
  if (!pool.empty()) return fmt::format("pool {}", pool);
  return std::string(vmids);
}

BackupJob job_of(const ConfigSection& section) {
  BackupJob job{.name = section.id, .enabled = section.value("enabled") != "0"};
  job.schedule = section.value("schedule");
  // Old entries have the time and the days apart.
  if (job.schedule.empty() && section.has("starttime"))
    job.schedule = trim(fmt::format("{} {}", section.value("dow"), section.value("starttime")));
  job.guests = guests_of(section.value("all"), section.value("pool"), section.value("vmid"));
  job.exclude = section.value("exclude");
  job.storage = section.value("storage");
  job.mode = section.value("mode");
  job.retention = section.value("prune-backups");
  if (job.retention.empty() && section.has("maxfiles"))
    job.retention = fmt::format("maxfiles={}", section.value("maxfiles"));
  job.comment = section.value("comment");
  return job;
}

/// The options of a vzdump command line, and its plain words under "".
std::map<std::string, std::string> options_of(std::string_view command) {
  std::map<std::string, std::string> options;
  const auto parts = words(command);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    auto part = parts[i];
    if (!part.starts_with('-')) {
      auto& plain = options[""];
      plain += (plain.empty() ? "" : ",") + std::string(part);
      continue;
    }
    part.remove_prefix(std::min(part.find_first_not_of('-'), part.size()));
    const auto sign = part.find('=');
    if (sign != std::string_view::npos) {
      options[std::string(part.substr(0, sign))] = part.substr(sign + 1);
    } else if (i + 1 < parts.size() && !parts[i + 1].starts_with('-')) {
      options[std::string(part)] = parts[++i];
    }
  }
  return options;
}

}  // namespace

Result<std::vector<BackupJob>> parse_jobs_cfg(std::string_view text) {
  RELAB_TRY(const auto sections, parse_section_config(text, "jobs.cfg"));
  std::vector<BackupJob> jobs;
  for (const auto& section : sections)
    if (section.type == "vzdump") jobs.push_back(job_of(section));
  return jobs;
}

Result<std::vector<BackupJob>> parse_vzdump_cron(std::string_view text) {
  RELAB_TRY(const auto crontab, parse_crontab(text, CrontabStyle::system));
  std::vector<BackupJob> jobs;
  for (const auto& line : crontab.jobs) {
    const auto parts = words(line.command);
    if (parts.empty() || !parts[0].ends_with("vzdump")) continue;
    auto options = options_of(line.command);
    jobs.push_back({.name = fmt::format("line {}", line.line),
                    .enabled = true,
                    .schedule = line.schedule,
                    .guests = guests_of(options["all"], options["pool"], options[""]),
                    .exclude = options["exclude"],
                    .storage = options["storage"],
                    .mode = options["mode"],
                    .retention = options["prune-backups"],
                    .comment = {}});
  }
  return jobs;
}

}  // namespace relab::agent::schedules
