#include "controller/report/pace.h"

#include <fmt/format.h>

namespace relab::controller {

namespace {

constexpr auto shortest = Millis(2000);
/// The window is between one and two of these long.
constexpr auto half_window = Millis(30000);

}  // namespace

void Pace::add(const Sample& sample) {
  if (!first_ || sample.done < last_.done || sample.at < last_.at) first_ = middle_ = sample;
  if (sample.at - middle_.at >= half_window) {
    first_ = middle_;
    middle_ = sample;
  }
  last_ = sample;
}

std::optional<double> Pace::rate() const {
  if (!first_ || last_.at - first_->at < shortest) return {};
  const auto seconds = std::chrono::duration<double>(last_.at - first_->at).count();
  return static_cast<double>(last_.done - first_->done) / seconds;
}

std::optional<Millis> Pace::left() const {
  const auto speed = rate();
  if (!speed || *speed < 1 || last_.total <= last_.done) return {};
  const auto seconds = static_cast<double>(last_.total - last_.done) / *speed;
  return std::chrono::duration_cast<Millis>(std::chrono::duration<double>(seconds));
}

std::string Pace::text() const {
  if (!first_) return {};
  auto text = ", " + human_bytes(last_.done);
  if (last_.total != 0)
    text += fmt::format(" of {} ({} %)", human_bytes(last_.total),
                        last_.done < last_.total ? last_.done * 100 / last_.total : 100);
  if (const auto speed = rate())
    text += fmt::format(", {}/s", human_bytes(static_cast<std::uint64_t>(*speed)));
  if (const auto rest = left()) text += fmt::format(", {} left", human(*rest));
  return text;
}

std::string Pace::brief() const {
  if (!first_) return {};
  auto text =
      last_.total == 0
          ? human_bytes(last_.done)
          : fmt::format("{} %", last_.done < last_.total ? last_.done * 100 / last_.total : 100);
  if (const auto speed = rate())
    text += fmt::format(", {}/s", human_bytes(static_cast<std::uint64_t>(*speed)));
  if (const auto rest = left()) text += fmt::format(", {} left", human(*rest));
  return text;
}

}  // namespace relab::controller
