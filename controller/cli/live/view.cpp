#include "controller/cli/live/view.h"

#include <algorithm>
#include <fmt/format.h>

#include "controller/report/escape.h"

namespace relab::controller {

namespace {

constexpr std::size_t bar_columns = 22;
constexpr std::size_t head_and_foot = 3;
constexpr std::size_t unbounded = 1000;
/// Below that there is no room for what is well.
constexpr std::size_t enough_rows = 10;

enum class Tone { plain, good, bad, strong, faint };

std::string toned(const Style& style, Tone tone, std::string text) {
  if (!style.colour || tone == Tone::plain) return text;
  const auto* code = tone == Tone::good     ? "32"
                     : tone == Tone::bad    ? "31"
                     : tone == Tone::strong ? "1"
                                            : "2";
  return fmt::format("\033[{}m{}\033[0m", code, text);
}

/// What a track is about: its first step that has not ended, or else the one that failed.
const LiveStep* focus(const LiveTrack& track) {
  const auto failed = std::ranges::find(track.steps, StepState::failed, &LiveStep::state);
  const auto next =
      std::ranges::find_if(track.steps, [](const auto& step) { return !step.ended(); });
  if (next != track.steps.end()) return &*next;
  return failed != track.steps.end() ? &*failed : nullptr;
}

bool is_running(const LiveStep& step) {
  return step.state == StepState::ordered || step.state == StepState::accepted;
}

/// What wants attention first has the least.
int urgency(const LiveTrack& track) {
  const auto* step = focus(track);
  const bool failed = std::ranges::any_of(
      track.steps, [](const auto& each) { return each.state == StepState::failed; });
  if (failed) return 0;
  if (step == nullptr) return 5;
  if (step->wait == Wait::person || step->wait == Wait::approval) return 1;
  if (step->wait == Wait::agent) return 2;
  return is_running(*step) ? 3 : 4;
}

std::string count_of(const LiveTrack& track) {
  const auto done = std::ranges::count(track.steps, StepState::succeeded, &LiveStep::state);
  return fmt::format("{}/{}", done, track.steps.size());
}

/// A bar, and the figures behind it; `room` columns for both.
std::string pace_words(const LiveStep& step, std::size_t room) {
  constexpr std::size_t least_bar = 6;
  auto text = step.pace->text();
  if (text.starts_with(", ")) text.erase(0, 2);
  if (text.empty()) text = step.doing;
  if (width_of(text) > room) text = step.pace->brief();
  const auto width = width_of(text);
  const auto left = room > width + 1 ? room - width - 1 : 0;
  if (left < least_bar) return text;
  return fmt::format(
      "{} {}", progress_bar(step.pace->done(), step.pace->total(), std::min(left, bar_columns)),
      text);
}

std::string words_of(const LiveTrack& track, const LiveStep& step, std::size_t room,
                     const Style& style) {
  switch (step.wait) {
    case Wait::person:
      return toned(style, Tone::strong, "PLEASE: " + step.why);
    case Wait::agent:
    case Wait::evidence:
    case Wait::approval:
      return fmt::format("waits: {}", step.why);
    case Wait::nothing:
    case Wait::nobody:
      break;
  }
  if (step.state == StepState::failed)
    return toned(style, Tone::bad, fmt::format("FAILED: {}", step.why));
  if (step.state == StepState::blocked) return "blocked";
  if (!is_running(step))
    return track.agent_there ? "waits its turn" : fmt::format("waits for {}", track.agent);
  if (step.pace) return pace_words(step, room);
  return step.doing.empty() ? "begun" : step.doing;
}

std::string line_of(const LiveTrack& track, std::size_t width, const Style& style) {
  const auto* step = focus(track);
  const auto head = fmt::format("  {:{}} {:>5}  ", track.name, width, count_of(track));
  if (step == nullptr) return head + toned(style, Tone::good, "done");
  const auto named = head + step->name + "  ";
  // The last column of a terminal stays empty.
  const auto columns = style.width == 0 ? unbounded : style.width - 1;
  const auto room = columns > width_of(named) ? columns - width_of(named) : 0;
  return named + words_of(track, *step, room, style);
}

std::string headline(const LiveView& view, const Style& style) {
  std::size_t all = 0;
  std::size_t done = 0;
  std::size_t failed = 0;
  for (const auto& track : view.tracks)
    for (const auto& step : track.steps) {
      ++all;
      if (step.state == StepState::succeeded) ++done;
      if (step.state == StepState::failed) ++failed;
    }
  auto line = toned(style, Tone::strong, view.title) +
              fmt::format("   {} of {} steps done, {}", done, all, human(view.since));
  if (failed != 0) line += toned(style, Tone::bad, fmt::format(", {} FAILED", failed));
  return line;
}

}  // namespace

std::string progress_bar(std::uint64_t done, std::uint64_t total, std::size_t columns) {
  if (columns < 3) return {};
  const auto inside = columns - 2;
  // In floating point: bytes times columns may be more than 64 bits hold.
  const auto share =
      total == 0 ? 0.0
                 : std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0);
  const auto full = static_cast<std::size_t>(share * static_cast<double>(inside));
  std::string bar(full, '=');
  if (full < inside) bar += total != 0 && done != 0 ? '>' : ' ';
  bar.resize(inside, ' ');
  return "[" + bar + "]";
}

std::vector<std::string> render_live(const LiveView& view, std::size_t rows, const Style& style) {
  std::vector<std::string> lines = {headline(view, style)};
  std::vector<const LiveTrack*> tracks;
  for (const auto& track : view.tracks) tracks.push_back(&track);
  std::ranges::stable_sort(tracks, {}, [](const auto* track) { return urgency(*track); });
  std::size_t width = 0;
  for (const auto* track : tracks) width = std::max(width, track->name.size());
  const auto away = std::min<std::size_t>(view.away.size(), 3);
  const bool tells_agents = !view.there.empty() && rows >= enough_rows;
  const auto taken = head_and_foot + away + (tells_agents ? 1U : 0U) +
                     std::min<std::size_t>(view.open_conditions.size(), 2);
  const auto room = rows > taken + 1 ? rows - taken : 1;
  for (std::size_t i = 0; i < std::min(room, tracks.size()); ++i)
    lines.push_back(line_of(*tracks[i], width, style));
  if (tracks.size() > room)
    lines.push_back(
        toned(style, Tone::faint, fmt::format("  and {} more tracks", tracks.size() - room)));
  if (tells_agents)
    lines.push_back(
        toned(style, Tone::faint, fmt::format("  agents: {}", fmt::join(view.there, ", "))));
  std::size_t told = 0;
  for (const auto& [agent, why] : view.away) {
    if (told++ == away) break;
    lines.push_back("  " + toned(style, Tone::bad, fmt::format("{} is away", agent)) +
                    (why.empty() ? "" : ": " + why));
  }
  for (std::size_t i = 0; i < std::min<std::size_t>(view.open_conditions.size(), 2); ++i)
    lines.push_back(toned(style, Tone::faint, "  still open for " + view.open_conditions[i]));
  return lines;
}

}  // namespace relab::controller
