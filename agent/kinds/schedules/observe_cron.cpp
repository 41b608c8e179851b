#include "agent/kinds/schedules/observe_cron.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "agent/kinds/schedules/crontab.h"
#include "agent/kinds/support/redact.h"

namespace relab::agent::schedules {

namespace {

constexpr std::uint32_t writable_by_others = 022;
constexpr std::uint32_t executable = 0111;

/// A crontab that was found, and how far it could be read.
struct Found {
  Path path;
  CrontabStyle style = CrontabStyle::system;
  /// Whose crontab it is, of a user's.
  std::string user = {};
  std::string notes = {};
  Crontab content = {};
};

/// Both cron and run-parts take no other names, so that what packages leave behind does not run.
bool is_plain_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char letter) {
    return std::isalnum(letter) != 0 || letter == '_' || letter == '-';
  });
}

/// The status of what a path leads to in the end.
Result<FileStatus> status_behind(Host& host, const Path& path) {
  RELAB_TRY(const auto real, host.canonical(path));
  return host.status(real);
}

std::string why_ignored(const Found& crontab, const FileStatus& status) {
  const auto name = crontab.path.filename().string();
  if (status.type != FileType::regular) return "cron passes over it: it is no regular file";
  if (crontab.style == CrontabStyle::user) return {};
  if (name != "crontab" && !is_plain_name(name))
    return "cron passes over it: its name has other letters than A-Z, a-z, 0-9, _ and -";
  if (status.uid != 0) return "cron passes over it: it is not root's";
  if ((status.mode & writable_by_others) != 0) return "cron passes over it: others may write to it";
  return {};
}

void read_crontab(Host& host, Found& crontab, Gaps& gaps) {
  const auto status = status_behind(host, crontab.path);
  if (!status) {
    gaps.problem(crontab.path.string(), status.error());
    return;
  }
  crontab.notes = why_ignored(crontab, *status);
  if (!crontab.notes.empty()) return;
  const auto text = host.read_file(crontab.path);
  if (!text) {
    gaps.problem(crontab.path.string(), text.error());
    return;
  }
  auto content = parse_crontab(*text, crontab.style);
  if (!content) {
    gaps.problem(crontab.path.string(), content.error());
    return;
  }
  crontab.content = std::move(*content);
  if (crontab.content.is_cut)
    crontab.notes = "cron passes over it: its last line has no end";
  else if (crontab.content.has_carriage_returns)
    crontab.notes = "lines end in CR LF: cron gives the CR to the commands";
}

/// The crontabs in a folder; what is hidden there (.placeholder) is none.
void add_folder(Host& host, const Path& folder, CrontabStyle style, std::vector<Found>& found,
                Gaps& gaps) {
  const auto names = host.list(folder);
  if (!names) {
    if (names.error().fault == Fault::missing)
      gaps.absent(folder.string(), fmt::format("there is no {}", folder.string()));
    else
      gaps.problem(folder.string(), names.error());
    return;
  }
  for (const auto& name : *names) {
    if (name.starts_with('.')) continue;
    found.push_back({.path = folder / name,
                     .style = style,
                     .user = style == CrontabStyle::user ? name : std::string()});
  }
}

std::vector<Found> find_crontabs(Host& host, Gaps& gaps) {
  std::vector<Found> found;
  const auto main = host.status("/etc/crontab");
  if (main || main.error().fault != Fault::missing)
    found.push_back({.path = "/etc/crontab"});
  else
    gaps.absent("/etc/crontab", "there is no /etc/crontab");
  add_folder(host, "/etc/cron.d", CrontabStyle::system, found, gaps);
  add_folder(host, "/var/spool/cron/crontabs", CrontabStyle::user, found, gaps);
  for (auto& crontab : found) read_crontab(host, crontab, gaps);
  return found;
}

/// Crontabs do nothing without the daemon.
void look_for_daemon(Host& host, Gaps& gaps) {
  for (const auto* daemon : {"/usr/sbin/cron", "/usr/sbin/crond"})
    if (const auto status = host.status(daemon); status || status.error().fault != Fault::missing)
      return;
  gaps.absent("cron", "no cron on this machine: what crontabs there are does not run");
}

void put_jobs(const std::vector<Found>& found, FactsBuilder facts) {
  std::size_t count = 0;
  for (const auto& crontab : found) count += crontab.content.jobs.size();
  auto list = facts.initCronJobs(static_cast<unsigned>(count));
  unsigned i = 0;
  for (const auto& crontab : found)
    for (const auto& job : crontab.content.jobs) {
      auto entry = list[i++];
      entry.setSource(crontab.path.string());
      entry.setLine(job.line);
      entry.setSchedule(job.schedule);
      entry.setUser(crontab.user.empty() ? job.user : crontab.user);
      entry.setCommand(redact(job.command));
    }
}

void put_variables(const std::vector<Found>& found, FactsBuilder facts) {
  std::size_t count = 0;
  for (const auto& crontab : found) count += crontab.content.variables.size();
  auto list = facts.initCronVariables(static_cast<unsigned>(count));
  unsigned i = 0;
  for (const auto& crontab : found)
    for (const auto& variable : crontab.content.variables) {
      auto entry = list[i++];
      entry.setSource(crontab.path.string());
      entry.setLine(variable.line);
      entry.setName(variable.name);
      entry.setValue(is_secret_name(variable.name) && !variable.value.empty()
                         ? std::string(redacted)
                         : redact(variable.value));
    }
}

void put_crontabs(const std::vector<Found>& found, FactsBuilder facts) {
  auto list = facts.initCrontabs(static_cast<unsigned>(found.size()));
  unsigned i = 0;
  for (const auto& crontab : found) {
    auto entry = list[i++];
    entry.setPath(crontab.path.string());
    entry.setJobs(static_cast<std::uint32_t>(crontab.content.jobs.size()));
    entry.setNotes(crontab.notes);
  }
}

struct Script {
  Path folder;
  std::string name;
  std::string why = {};
  bool runs = false;
  std::string real = {};
};

Script look_at_script(Host& host, const Path& folder, const std::string& name, Gaps& gaps) {
  Script script{.folder = folder, .name = name};
  const auto status = status_behind(host, folder / name);
  if (status) {
    script.why = why_not_run(name, *status);
    script.runs = script.why.empty();
  } else if (status.error().fault == Fault::missing) {
    script.why = "a link to nothing";
  } else {
    gaps.problem((folder / name).string(), status.error());
    script.why = "could not be looked at";
  }
  const auto real = host.canonical(folder / name);
  if (real) script.real = real->string();
  if (!real && status && real.error().fault != Fault::missing)
    gaps.problem((folder / name).string(), real.error());
  if (const auto target = host.read_link(folder / name); target && script.runs)
    script.why = fmt::format("link to {}", *target);
  return script;
}

std::vector<Script> find_scripts(Host& host, Gaps& gaps) {
  std::vector<Script> scripts;
  for (const auto* period : {"hourly", "daily", "weekly", "monthly", "yearly"}) {
    const auto folder = Path(fmt::format("/etc/cron.{}", period));
    const auto names = host.list(folder);
    if (!names && names.error().fault == Fault::missing)
      gaps.absent(folder.string(), fmt::format("there is no {}", folder.string()));
    else if (!names)
      gaps.problem(folder.string(), names.error());
    else
      for (const auto& name : *names)
        if (name != ".placeholder") scripts.push_back(look_at_script(host, folder, name, gaps));
  }
  return scripts;
}

void put_anacron(const Anacrontab& anacrontab, FactsBuilder facts) {
  auto list = facts.initAnacronJobs(static_cast<unsigned>(anacrontab.jobs.size()));
  unsigned i = 0;
  for (const auto& job : anacrontab.jobs) {
    auto entry = list[i++];
    entry.setPeriod(job.period);
    entry.setDelay(job.delay);
    entry.setName(job.name);
    entry.setCommand(redact(job.command));
  }
}

}  // namespace

std::string why_not_run(std::string_view name, const FileStatus& status) {
  if (!is_plain_name(name))
    return "run-parts passes over it: its name has other letters than A-Z, a-z, 0-9, _ and -";
  if (status.type != FileType::regular) return "run-parts passes over it: it is no regular file";
  if ((status.mode & executable) == 0) return "run-parts passes over it: it is not executable";
  return {};
}

void observe_crontabs(Host& host, FactsBuilder facts, Gaps& gaps) {
  look_for_daemon(host, gaps);
  const auto all = find_crontabs(host, gaps);
  put_crontabs(all, facts);
  // What cron passes over runs nothing: it is named above, but its lines are no jobs.
  std::vector<Found> read;
  std::ranges::copy_if(all, std::back_inserter(read),
                       [](const Found& crontab) { return !crontab.content.is_cut; });
  put_jobs(read, facts);
  put_variables(read, facts);
}

void observe_scripts(Host& host, FactsBuilder facts, Gaps& gaps) {
  const auto scripts = find_scripts(host, gaps);
  auto list = facts.initScripts(static_cast<unsigned>(scripts.size()));
  unsigned i = 0;
  for (const auto& script : scripts) {
    auto entry = list[i++];
    entry.setFolder(script.folder.string());
    entry.setName(script.name);
    entry.setRuns(script.runs);
    entry.setWhy(script.why);
    entry.setReal(script.real);
  }
}

void observe_anacron(Host& host, FactsBuilder facts, Gaps& gaps) {
  const auto text = host.read_file("/etc/anacrontab");
  if (!text && text.error().fault == Fault::missing) {
    gaps.absent("anacron", "there is no /etc/anacrontab");
    return;
  }
  if (!text) {
    gaps.problem("anacron", text.error());
    return;
  }
  if (const auto anacrontab = parse_anacrontab(*text))
    put_anacron(*anacrontab, facts);
  else
    gaps.problem("/etc/anacrontab", anacrontab.error());
}

}  // namespace relab::agent::schedules
