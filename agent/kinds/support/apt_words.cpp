#include "agent/kinds/support/apt_words.h"

#include <fmt/format.h>

#include "agent/kinds/support/redact.h"
#include "common/base/text.h"

namespace relab::agent {

namespace {

constexpr std::size_t line_max = 300;

}  // namespace

std::string complaint_of(std::string_view text) {
  std::string errors;
  std::string_view last;
  for (const auto line : lines(text)) {
    if (!trim(line).empty()) last = trim(line);
    const bool is_error = line.starts_with("E: ") || line.starts_with("dpkg: error");
    if (is_error && errors.size() < line_max)
      errors += (errors.empty() ? "" : "; ") + redact(trim(line).substr(0, line_max));
  }
  if (!errors.empty()) return errors;
  return last.empty() ? "it said nothing" : redact(last.substr(0, line_max));
}

std::string conflict_of(std::string_view text) {
  for (const auto line : lines(text))
    for (const auto* relation : {" : Depends:", " : PreDepends:", " : Conflicts:", " : Breaks:"})
      if (line.find(relation) != std::string_view::npos)
        return fmt::format("{}; ", clean_text(trim(line).substr(0, line_max)));
  return {};
}

}  // namespace relab::agent
