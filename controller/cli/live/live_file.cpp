#include "controller/cli/live/live_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/base/file.h"
#include "controller/report/escape.h"

namespace relab::controller::cli {

namespace {

using nlohmann::json;

constexpr int format = 1;
constexpr auto write_interval = Millis(1000);
/// Once that has failed.
constexpr auto again_interval = Millis(60'000);
/// What is older was left by somebody who is not there any more.
constexpr auto fresh = Millis(10'000);
constexpr auto name = "live.json";

/// Two samples that have its rate.
json to_json(const Pace& pace) {
  json text = {{"done", pace.done()}, {"total", pace.total()}};
  if (const auto rate = pace.rate()) text["rate"] = *rate;
  return text;
}

Pace pace_of(const json& text) {
  Pace pace;
  const auto done = text.at("done").get<std::uint64_t>();
  const auto total = text.at("total").get<std::uint64_t>();
  // No more than has been done can have been done since the first sample.
  constexpr double longest = 10'000;
  const auto each_ms = text.value("rate", 0.0) / 1000;
  const auto span = each_ms > 0 ? std::min(longest, static_cast<double>(done) / each_ms) : 0.0;
  const auto since = static_cast<std::uint64_t>(span * each_ms);
  if (each_ms > 0)
    pace.add({.done = done - std::min(done, since), .total = total, .at = Millis(0)});
  pace.add({.done = done, .total = total, .at = Millis(static_cast<std::int64_t>(span))});
  return pace;
}

json to_json(const LiveStep& step) {
  json text = {{"name", step.name},
               {"state", static_cast<int>(step.state)},
               {"wait", static_cast<int>(step.wait)},
               {"why", step.why},
               {"doing", step.doing}};
  if (step.pace) text["pace"] = to_json(*step.pace);
  return text;
}

/// Files of this format have no others.
template <typename Enum>
Enum enum_of(const json& number, Enum last) {
  return static_cast<Enum>(std::clamp(number.get<int>(), 0, static_cast<int>(last)));
}

std::string text_of(const json& text) { return visible(text.get<std::string>()); }

LiveStep step_of(const json& text) {
  LiveStep step{.name = text_of(text.at("name")),
                .state = enum_of(text.at("state"), StepState::blocked),
                .wait = enum_of(text.at("wait"), Wait::nobody),
                .why = text_of(text.at("why")),
                .doing = text_of(text.at("doing"))};
  if (text.contains("pace")) step.pace = pace_of(text["pace"]);
  return step;
}

json to_json(const LiveTrack& track) {
  auto steps = json::array();
  for (const auto& step : track.steps) steps.push_back(to_json(step));
  return {{"name", track.name},
          {"agent", track.agent},
          {"there", track.agent_there},
          {"steps", std::move(steps)}};
}

LiveTrack track_of(const json& text) {
  LiveTrack track{.name = text_of(text.at("name")),
                  .agent = text_of(text.at("agent")),
                  .agent_there = text.at("there").get<bool>(),
                  .steps = {}};
  for (const auto& step : text.at("steps")) track.steps.push_back(step_of(step));
  return track;
}

LiveView view_of(const json& text) {
  LiveView view{.title = text_of(text.at("title")),
                .since = Millis(text.at("since").get<std::int64_t>())};
  for (const auto& track : text.at("tracks")) view.tracks.push_back(track_of(track));
  for (const auto& agent : text.at("agents")) view.there.insert(text_of(agent));
  for (const auto& [agent, why] : text.at("away").items()) view.away[visible(agent)] = text_of(why);
  for (const auto& one : text.at("conditions")) view.open_conditions.push_back(text_of(one));
  return view;
}

}  // namespace

/// Whoever was killed while he wrote it left it under a name of its own.
LiveFile::LiveFile(const std::filesystem::path& folder, const RunId& run)
    : file_(folder / name), run_(run.text()) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    if (entry.path().filename().string().starts_with(std::string(name) + "."))
      std::filesystem::remove(entry.path(), ignored);
}

LiveFile::~LiveFile() {
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
}

bool LiveFile::is_due(Instant now) const {
  return now - written_ >= (failed_ ? again_interval : write_interval);
}

Result<void> LiveFile::write(const LiveView& view, Instant now) {
  written_ = now;
  auto tracks = json::array();
  for (const auto& track : view.tracks) tracks.push_back(to_json(track));
  const json text = {{"format", format},
                     {"run", run_},
                     {"written", unix_millis(wall_clock())},
                     {"title", view.title},
                     {"since", view.since.count()},
                     {"tracks", std::move(tracks)},
                     {"agents", view.there},
                     {"away", view.away},
                     {"conditions", view.open_conditions}};
  auto done = replace_file(file_, text.dump(-1, ' ', true, json::error_handler_t::replace) + "\n",
                           Durability::passing);
  if (done) {
    failed_ = false;
    return {};
  }
  // It is told once.
  return std::exchange(failed_, true) ? Result<void>() : done;
}

std::optional<LiveView> read_live(const std::filesystem::path& folder, const RunId& run,
                                  Instant now) try {
  constexpr std::size_t size_max = std::size_t{16} << 20U;
  const auto read = read_small_file(folder / name, size_max);
  if (!read) return {};
  const auto text = json::parse(*read);
  if (text.at("format") != format || text.at("run") != run.text()) return {};
  const auto age = now - instant_of(text.at("written").get<std::uint64_t>());
  if (age > fresh || age < -fresh) return {};
  return view_of(text);
} catch (const json::exception&) {
  return {};
}

}  // namespace relab::controller::cli
