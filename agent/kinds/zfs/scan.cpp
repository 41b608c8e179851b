/// The scan line of `zpool status`: "scrub repaired 0B in 00:00:03 with 80 errors on Sun Nov 22
/// ...".

#include "agent/kinds/zfs/status.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

namespace {

std::string function_of(std::string_view words) {
  const auto verb = words.substr(0, words.find(' '));
  if (verb == "resilver" || verb == "resilvered")
    return words.substr(verb.size()).starts_with(" (") ? "rebuild" : "resilver";
  if (words.starts_with("error scrub") || words.starts_with("errorscrub")) return "errorscrub";
  if (words.find("scrub") != std::string_view::npos) return "scrub";
  return "unknown";
}

/// What follows a phrase, to the end of its line; nothing if the phrase is not there.
std::optional<std::string> after(std::string_view words, std::string_view phrase) {
  const auto at = words.find(phrase);
  if (at == std::string_view::npos) return {};
  const auto rest = words.substr(at + phrase.size());
  return std::string(trim(rest.substr(0, rest.find('\n'))));
}

std::optional<std::uint64_t> errors_of(std::string_view line) {
  const auto count = after(line.substr(0, line.find(" errors on ")), " with ");
  if (!count) return {};
  const auto number = parse_number<std::uint64_t>(*count);
  return number ? std::optional(*number) : std::nullopt;
}

/// "scrub repaired 0B in 1 days 02:03:04 with 0 errors"
std::optional<std::chrono::seconds> duration_of(std::string_view line) {
  const auto text = after(line.substr(0, line.find(" with ")), " in ");
  if (!text) return {};
  std::string_view clock = *text;
  std::uint64_t days = 0;
  if (const auto at = clock.find(" days "); at != std::string_view::npos) {
    const auto number = parse_number<std::uint64_t>(clock.substr(0, at));
    if (!number) return {};
    days = *number;
    clock = clock.substr(at + std::string_view(" days ").size());
  }
  const auto parts = split(clock, ':');
  if (parts.size() != 3) return {};
  std::uint64_t seconds = days * 24;
  for (const auto part : parts) {
    const auto number = parse_number<std::uint64_t>(part);
    if (!number) return {};
    seconds = (&part == &parts.front() ? seconds : seconds * 60) + *number;
  }
  return std::chrono::seconds(seconds);
}

}  // namespace

std::optional<Scan> parse_scan(std::string_view words) {
  const auto line = words.substr(0, words.find('\n'));
  if (trim(line) == "none requested") return {};
  Scan scan = {.function = function_of(line), .state = "unknown", .words = one_line(words)};
  const auto errors = errors_of(line);
  if (const auto ended = after(line, " errors on "); ended && errors) {
    scan.state = "finished";
    scan.errors = *errors;
    scan.ended.words = *ended;
    scan.took = duration_of(line);
  } else if (const auto checked = after(line, " on "); checked && line.starts_with("scrubbed ")) {
    scan.state = "finished";
    scan.ended.words = *checked;
  } else if (const auto canceled = after(line, " canceled on ")) {
    scan.state = "canceled";
    scan.ended.words = *canceled;
  } else if (const auto started = after(line, " in progress since ")) {
    scan.state = "scanning";
    scan.started.words = *started;
  } else if (after(line, " paused since ")) {
    scan.state = "paused";
    scan.started.words = after(words, " started on ").value_or("");
  }
  return scan;
}

}  // namespace relab::agent::zfs
