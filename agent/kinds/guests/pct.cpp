#include "agent/kinds/guests/pct.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/guests/rows.h"
#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/mounts.h"
#include "common/base/text.h"
#include "common/wire/message.h"

namespace relab::agent::guests {

namespace {

constexpr auto lock_pause = Millis(5000);
constexpr int lock_tries = 120;
constexpr std::string_view mark = "relab: ";

bool is_locked(const Output& output) {
  return output.err.find("is locked (") != std::string::npos ||
         output.err.find("got timeout") != std::string::npos;
}

struct Found {
  bool exists = false;
  std::string dataset = {};
  std::vector<std::string> below = {};
};

Result<Found> find_source(Host& host, const std::vector<Mount>& mounts, const std::string& path) {
  Found found;
  const auto status = host.status(path);
  if (!status && status.error().fault != Fault::missing) return fail(status.error());
  // Proxmox follows no link there either.
  found.exists = status && status->type == FileType::directory;
  for (const auto& mount : mounts) {
    const auto point = mount.point.string();
    if (point != path && is_at_or_below(point, path)) found.below.push_back(point);
  }
  const auto* holder = holder_of(mounts, path);
  if (holder != nullptr && holder->type == "zfs") found.dataset = holder->source;
  return found;
}

/// A description: "relab: NAME", below it the purpose, and below both what is a person's.
struct Parts {
  std::string name = {};
  std::string purpose = {};
  std::string notes = {};
};

/// Takes the first line off.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return line;
}

Parts parts_of(std::string_view text) {
  Parts parts;
  if (text.starts_with(mark)) {
    parts.name = trim(take_line(text).substr(mark.size()));
    parts.purpose = take_line(text);
  }
  while (text.starts_with('\n')) text.remove_prefix(1);
  while (text.ends_with('\n')) text.remove_suffix(1);
  parts.notes = text;
  return parts;
}

}  // namespace

void remark_warnings(Host& host, const Output& output) {
  constexpr std::string_view warning = "WARN: ";
  for (const auto line : lines(output.err))
    if (line.starts_with(warning))
      host.remark(fmt::format("Proxmox warns: {}", clean_text(trim(line.substr(warning.size())))));
}

Result<void> pct(Host& host, const std::vector<std::string>& arguments,
                 std::chrono::seconds timeout) {
  std::vector<std::string> argv = {"pct"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  for (int tries = 1;; ++tries) {
    RELAB_TRY(const auto output, host.run({.argv = argv, .timeout = timeout}));
    if (output.status == 0) {
      remark_warnings(host, output);
      return {};
    }
    const auto words = first_words(output);
    if (!is_locked(output))
      return fail(Fault::damaged,
                  fmt::format("'pct {} {}' ended with {}: {}", arguments[0], arguments[1],
                              output.status, words),
                  "mend what Proxmox says, whose task log has all of it, and run it again");
    if (tries == lock_tries)
      return fail(Fault::busy, fmt::format("container {} stayed locked: {}", arguments[1], words),
                  fmt::format("see what holds it; if nothing does, `pct unlock {}`", arguments[1]));
    RELAB_CHECK(host.pause(
        lock_pause, {.what = fmt::format("waiting for Proxmox: {}", words), .for_person = {}}));
  }
}

std::map<std::string, std::string> settings_of(const PveConfig& config) {
  std::map<std::string, std::string> settings;
  for (const auto& [key, value] : config.current.values) settings.emplace(key, value);
  for (const auto& row : pending_of(config.pending)) {
    if (row.deleted)
      settings.erase(row.key);
    else
      settings[row.key] = config.pending.value(row.key);
  }
  return settings;
}

std::vector<std::string> waiting_of(const PveConfig& config) {
  std::vector<std::string> keys;
  for (const auto& row : pending_of(config.pending)) keys.push_back(row.key);
  return keys;
}

std::vector<std::string> waiting_notes(const std::string& title,
                                       capnp::List<capnp::Text>::Reader waiting) {
  if (waiting.size() == 0) return {};
  std::vector<std::string> keys;
  for (const auto key : waiting) keys.push_back(str(key));
  return {
      fmt::format("not in effect before the next start of {}: {} (guest_power with "
                  "`apply_waiting` restarts it)",
                  title, fmt::join(keys, ", "))};
}

std::string made_as(const PveConfig& config) { return parts_of(config.current.description).name; }

std::string purpose_of(const PveConfig& config) {
  return purpose_line(parts_of(config.current.description).purpose);
}

std::string purpose_line(std::string_view purpose) {
  auto line = clean_text(purpose);
  std::ranges::replace_if(
      line, [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return std::string(trim(line));
}

std::string description_of(std::string_view name, std::string_view purpose,
                           std::string_view before) {
  const auto parts = parts_of(before);
  // Who says nothing of what it is for leaves what is said there.
  const auto line = purpose_line(purpose.empty() ? std::string_view(parts.purpose) : purpose);
  return fmt::format("{}{}{}{}{}{}", mark, name, line.empty() ? "" : "\n", line,
                     parts.notes.empty() ? "" : "\n\n", parts.notes);
}

Result<void> look_at_sources(Host& host, HostMounts mounts,
                             capnp::List<schema::Guest::Source>::Builder sources) {
  if (mounts.size() == 0) return {};
  RELAB_TRY(const auto mounted, read_mounts(host));
  for (unsigned i = 0; i < mounts.size(); ++i) {
    const auto path = str(mounts[i].getSource());
    RELAB_TRY(const auto found, find_source(host, mounted, path));
    sources[i].setPath(path);
    sources[i].setExists(found.exists);
    sources[i].setDataset(found.dataset);
    auto below = sources[i].initBelow(size_of(found.below));
    for (unsigned k = 0; k < below.size(); ++k) below.set(k, found.below[k]);
  }
  return {};
}

std::string source_concern(HostMounts mounts, Sources sources) {
  for (unsigned i = 0; i < mounts.size() && i < sources.size(); ++i) {
    const auto path = str(sources[i].getPath());
    const auto pool = str(mounts[i].getPool());
    const auto dataset = str(sources[i].getDataset());
    if (!sources[i].getExists()) return fmt::format("there is no directory {} on the host", path);
    if (!pool.empty() && dataset != pool && !dataset.starts_with(pool + "/"))
      return fmt::format("{} is not on the pool '{}' now: it is not mounted, or not unlocked", path,
                         pool);
  }
  return {};
}

}  // namespace relab::agent::guests
