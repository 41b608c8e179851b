#include "controller/lab/findings.h"

#include <algorithm>
#include <fmt/format.h>
#include <tuple>

namespace relab::lab {

std::string Findings::element_path(const std::string& list, std::size_t index) const {
  const auto found = elements_.find(list);
  if (found != elements_.end() && index < found->second.size()) return found->second[index];
  return fmt::format("{}[{}]", list, index);
}

Position Findings::position(std::string_view path) const {
  while (!path.empty()) {
    if (const auto found = places_.find(path); found != places_.end()) return found->second;
    const auto cut = path.find_last_of(".[");
    path = path.substr(0, cut == std::string_view::npos ? 0 : cut);
  }
  return {.line = 1, .column = 1};
}

void Findings::report(const std::string& path, std::string what, std::string hint) {
  report_at(position(path), path, std::move(what), std::move(hint));
}

void Findings::report_at(Position at, std::string path, std::string what, std::string hint) {
  if (mistakes_.size() >= mistakes_max) {
    ++dropped_;
    return;
  }
  mistakes_.push_back({.file = file_,
                       .line = at.line,
                       .column = at.column,
                       .key = std::move(path),
                       .what = std::move(what),
                       .hint = std::move(hint)});
}

std::vector<Mistake> Findings::take() && {
  std::ranges::stable_sort(
      mistakes_, {}, [](const Mistake& mistake) { return std::tie(mistake.line, mistake.column); });
  if (dropped_ != 0)
    mistakes_.push_back({.file = file_,
                         .line = 0,
                         .column = 0,
                         .key = {},
                         .what = fmt::format("there are {} more mistakes", dropped_),
                         .hint = "correct these first"});
  return std::move(mistakes_);
}

}  // namespace relab::lab
