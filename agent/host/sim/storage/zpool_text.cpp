#include "agent/host/sim/storage/zpool_text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string_view>

#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> headings = {
    {{"dedup", "dedup"},
     {"special", "special"},
     {"log", "logs"},
     {"cache", "cache"},
     {"spare", "spares"}}};

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> weekdays = {"Sun", "Mon", "Tue", "Wed",
                                                      "Thu", "Fri", "Sat"};

std::string heading_of(std::string_view role) {
  const auto found =
      std::ranges::find(headings, role, &std::pair<std::string_view, std::string_view>::first);
  return found == headings.end() ? std::string() : std::string(found->second);
}

/// A disk that is gone has a number for its name, and its path in the note.
std::string shown_name(const zfs::Vdev& vdev, Names names) {
  if (vdev.depth == 0) return vdev.name;
  if (names == Names::guids) return std::to_string(vdev.guid);
  return vdev.path.empty() || vdev.note.starts_with("was ") ? vdev.name : vdev.path;
}

std::string config(const Pool& pool, Names names) {
  constexpr std::size_t gap = 2;
  std::size_t width = 0;
  for (const auto& vdev : pool.vdevs)
    width = std::max(width, 2 * vdev.depth + shown_name(vdev, names).size() + gap);
  std::string text = fmt::format("config:\n\n\t{:<{}}{:<8} {:>5} {:>5} {:>5}\n", "NAME", width,
                                 "STATE", "READ", "WRITE", "CKSUM");
  std::string role = "data";
  for (const auto& vdev : pool.vdevs) {
    if (vdev.role != role) text += fmt::format("\t{}\n", heading_of(vdev.role));
    role = vdev.role;
    text += fmt::format("\t{:<{}}{:<8}", std::string(2 * vdev.depth, ' ') + shown_name(vdev, names),
                        width, vdev.state);
    if (role != "spare")
      text += fmt::format(" {:>5} {:>5} {:>5}", vdev.read_errors, vdev.write_errors,
                          vdev.checksum_errors);
    if (!vdev.note.empty()) text += "  " + vdev.note;
    text += "\n";
  }
  return text;
}

std::string duration(std::uint64_t seconds) {
  constexpr std::uint64_t day = 86400;
  const auto days = seconds / day;
  const auto clock =
      fmt::format("{:02}:{:02}:{:02}", seconds % day / 3600, seconds % 3600 / 60, seconds % 60);
  return days == 0 ? clock : fmt::format("{} days {}", days, clock);
}

std::uint64_t seconds_in(const zfs::Moment& moment) { return moment.unix_millis / 1000; }

std::string progress_of(const Pool& pool, Instant now) {
  const auto whole = pool.scrub_ends ? (*pool.scrub_ends - pool.scrub_began).count() : 1;
  const auto done = std::min((now - pool.scrub_began).count(), whole);
  const auto percent =
      100.0 * static_cast<double>(done) / static_cast<double>(std::max(whole, {1}));
  return fmt::format("\t0B repaired, {:.2f}% done, {} to go", percent,
                     duration(static_cast<std::uint64_t>(whole - done) / 1000));
}

std::string scan_text(const Pool& pool, const zfs::Scan& scan, Instant now) {
  if (!scan.words.empty()) return scan.words;
  const auto began = in_words(seconds_in(scan.started));
  const auto ended = in_words(seconds_in(scan.ended));
  if (scan.state == "scanning")
    return fmt::format("{} in progress since {}\n{}", scan.function, began, progress_of(pool, now));
  if (scan.state == "canceled") return fmt::format("{} canceled on {}", scan.function, ended);
  if (scan.state == "paused")
    return fmt::format("{} paused since {}\n\t{} started on {}", scan.function, ended,
                       scan.function, began);
  const auto took = duration(seconds_in(scan.ended) - seconds_in(scan.started));
  if (scan.function == "resilver" || scan.function == "rebuild")
    return fmt::format("resilvered{} 0B in {} with {} errors on {}",
                       scan.function == "rebuild" ? " (sequential)" : "", took, scan.errors, ended);
  return fmt::format("{} repaired 0B in {} with {} errors on {}", scan.function, took, scan.errors,
                     ended);
}

std::string errors_text(const Pool& pool) {
  if (!pool.data_errors) return {};
  if (*pool.data_errors == 0) return "\nerrors: No known data errors\n";
  if (pool.damaged.empty())
    return fmt::format("\nerrors: {} data errors, use '-v' for a list\n", *pool.data_errors);
  std::string text = "\nerrors: Permanent errors have been detected in the following files:\n\n";
  for (const auto& object : pool.damaged) text += fmt::format("        {}\n", object);
  for (auto count = pool.damaged.size(); count < *pool.data_errors; ++count)
    text += fmt::format("        <0x{:x}>:<0x1>\n", count);
  return text;
}

std::string head(const Pool& pool) {
  std::string text;
  if (!pool.status.empty()) text += fmt::format("status: {}\n", pool.status);
  if (!pool.action.empty()) text += fmt::format("action: {}\n", pool.action);
  if (!pool.message.empty())
    text += fmt::format("   see: https://openzfs.github.io/openzfs-docs/msg/{}\n", pool.message);
  return text;
}

}  // namespace

std::string in_words(std::uint64_t seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format(
      "{} {} {:2} {:02}:{:02}:{:02} {}", weekdays[std::chrono::weekday(day).c_encoding()],
      months[static_cast<unsigned>(date.month()) - 1], static_cast<unsigned>(date.day()),
      clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
      static_cast<int>(date.year()));
}

std::optional<std::uint64_t> seconds_of(const std::string& text) {
  const auto parts = words(text);
  if (parts.size() != 5) return {};
  const auto month = std::ranges::find(months, parts[1]);
  const auto day = parse_number<unsigned>(parts[2]);
  const auto clock = split(parts[3], ':');
  const auto year = parse_number<int>(parts[4]);
  if (month == months.end() || !day || clock.size() != 3 || !year) return {};
  std::uint64_t seconds = 0;
  for (const auto part : clock) {
    const auto number = parse_number<std::uint64_t>(part);
    if (!number) return {};
    seconds = seconds * 60 + *number;
  }
  const std::chrono::year_month_day date{
      std::chrono::year(*year),
      std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
      std::chrono::day(*day)};
  if (!date.ok()) return {};
  const auto midnight = std::chrono::sys_seconds(std::chrono::sys_days(date));
  return static_cast<std::uint64_t>(midnight.time_since_epoch().count()) + seconds;
}

std::string status_text(const std::vector<const Pool*>& pools, Names names, Instant now) {
  std::string text;
  for (const auto* pool : pools) {
    if (!text.empty()) text += "\n";
    text += fmt::format("  pool: {}\n state: {}\n{}", pool->name, pool->state, head(*pool));
    for (const auto& scan : pool->scans)
      text += fmt::format("{} {}\n", scan.function == "errorscrub" ? " scrub:" : "  scan:",
                          scan_text(*pool, scan, now));
    if (!pool->notices.empty()) text += pool->notices + "\n";
    text += config(*pool, names) + errors_text(*pool);
  }
  return text.empty() ? "no pools available\n" : text;
}

std::string importable_text(const std::vector<const Pool*>& pools) {
  std::string text;
  for (const auto* pool : pools) {
    if (!text.empty()) text += "\n";
    text += fmt::format("  pool: {}\n    id: {}\n state: {}\n{}config:\n\n", pool->name, pool->guid,
                        pool->state, head(*pool));
    std::string role = "data";
    for (const auto& vdev : pool->vdevs) {
      if (vdev.role != role) text += fmt::format("\t{}\n", heading_of(vdev.role));
      role = vdev.role;
      auto name = Path(vdev.name).filename().string();
      // A pool on whole disks does not show that there are partitions on them.
      if (const auto part = name.rfind("-part"); part != std::string::npos) name.resize(part);
      const bool bare = role == "spare" || role == "cache";
      text += fmt::format(
          "\t{}{}{}\n", std::string(2 * vdev.depth, ' '), name,
          bare ? std::string() : "  " + vdev.state + (vdev.note.empty() ? "" : "  " + vdev.note));
    }
  }
  return text;
}

}  // namespace relab::agent::sim
