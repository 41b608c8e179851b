#include "agent/kinds/schedules/observe.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/schedules/backup_jobs.h"
#include "agent/kinds/schedules/timers.h"
#include "agent/kinds/support/pve_mount.h"
#include "agent/kinds/support/systemd.h"
#include "common/base/number.h"

namespace relab::agent::schedules {

namespace {

constexpr std::size_t at_name_size = 14;
constexpr std::size_t at_minutes_at = 6;
constexpr std::uint64_t millis_per_minute = 60'000;

Result<std::vector<Timer>> read_timers(Host& host) {
  RELAB_TRY(const auto text, output_of(host, {.argv = {"systemctl", "list-timers", "--all",
                                                       "--no-pager", "--output=json"}}));
  return parse_timers(text);
}

struct SourcedJob {
  std::string source;
  BackupJob job;
};

/// Nothing where the file is not there: then there are no such jobs.
void add_jobs(Host& host, const std::string& path,
              Result<std::vector<BackupJob>> (*parse)(std::string_view),
              std::vector<SourcedJob>& all, Gaps& gaps) {
  const auto text = host.read_file(path);
  if (!text) {
    if (text.error().fault != Fault::missing) gaps.problem(path, text.error());
    return;
  }
  const auto jobs = parse(*text);
  if (!jobs) {
    gaps.problem(path, jobs.error());
    return;
  }
  for (const auto& job : *jobs) all.push_back({.source = path, .job = job});
}

void put(const std::vector<SourcedJob>& jobs, FactsBuilder facts) {
  auto list = facts.initBackupJobs(static_cast<unsigned>(jobs.size()));
  unsigned i = 0;
  for (const auto& [source, job] : jobs) {
    auto entry = list[i++];
    entry.setName(job.name);
    entry.setSource(source);
    entry.setEnabled(job.enabled);
    entry.setSchedule(job.schedule);
    entry.setGuests(job.guests);
    entry.setExclude(job.exclude);
    entry.setStorage(job.storage);
    entry.setMode(job.mode);
    entry.setRetention(job.retention);
    entry.setComment(job.comment);
  }
}

}  // namespace

std::optional<std::uint64_t> due_of(std::string_view name) {
  if (name.size() != at_name_size) return {};
  const auto minutes = parse_number<std::uint32_t>(name.substr(at_minutes_at), 16);
  if (!minutes) return {};
  return *minutes * millis_per_minute;
}

void observe_timers(Host& host, FactsBuilder facts, Gaps& gaps) {
  if (!systemd_runs(host)) {
    gaps.absent("systemd timers", std::string(no_systemd));
    return;
  }
  const auto timers = read_timers(host);
  if (!timers) {
    gaps.problem("systemd timers", timers.error());
    return;
  }
  auto list = facts.initTimers(static_cast<unsigned>(timers->size()));
  unsigned i = 0;
  for (const auto& timer : *timers) {
    auto entry = list[i++];
    entry.setName(timer.name);
    entry.setActivates(timer.activates);
    entry.setNext(timer.next);
    entry.setLast(timer.last);
  }
}

void observe_at_jobs(Host& host, FactsBuilder facts, Gaps& gaps) {
  const auto folder = Path("/var/spool/cron/atjobs");
  auto names = host.list(folder);
  if (!names && names.error().fault == Fault::missing) {
    gaps.absent("at jobs", fmt::format("there is no {}", folder.string()));
    return;
  }
  if (!names) {
    gaps.problem("at jobs", names.error());
    return;
  }
  std::erase_if(*names, [](const std::string& name) { return name.starts_with('.'); });
  auto list = facts.initAtJobs(static_cast<unsigned>(names->size()));
  unsigned i = 0;
  for (const auto& name : *names) {
    auto entry = list[i++];
    entry.setName(name);
    entry.setDue(due_of(name).value_or(0));
    const auto status = host.status(folder / name);
    if (status) entry.setUser(std::to_string(status->uid));
    // A job that has run meanwhile is gone.
    if (!status && status.error().fault != Fault::missing)
      gaps.problem("at job " + name, status.error());
  }
}

void observe_backup_jobs(Host& host, FactsBuilder facts, Gaps& gaps) {
  const auto has_proxmox = has_pve_config(host);
  if (!has_proxmox) {
    gaps.problem("Proxmox backup jobs", has_proxmox.error());
    return;
  }
  if (!*has_proxmox) {
    gaps.absent("Proxmox backup jobs", "no Proxmox VE on this machine");
    return;
  }
  std::vector<SourcedJob> jobs;
  add_jobs(host, "/etc/pve/jobs.cfg", parse_jobs_cfg, jobs, gaps);
  add_jobs(host, "/etc/pve/vzdump.cron", parse_vzdump_cron, jobs, gaps);
  put(jobs, facts);
}

}  // namespace relab::agent::schedules
