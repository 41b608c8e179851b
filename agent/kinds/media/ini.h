#pragma once

/// Files of "key = value" lines in sections, as Qt, Python and NZBGet write them, and the like part
/// of YAML.

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/result.h"

namespace relab::agent::media {

/// Values by section and key; the section "" is what comes before the first head. Sections within
/// sections ("[[name]]") are left out: they hold accounts.
class Ini {
 public:
  /// Fault::damaged, with the number of the line, for a line that is neither head, value, comment
  /// nor continuation.
  static Result<Ini> parse(std::string_view text, std::string_view what);
  /// Two levels of YAML: "section:" and, indented, "key: value". Deeper levels and lists are left
  /// out.
  static Result<Ini> parse_yaml(std::string_view text, std::string_view what);

  bool has_section(std::string_view section) const;
  /// Without quotes around it; "" if there is none.
  std::string value(const std::string& section, const std::string& key) const;

 private:
  std::map<std::pair<std::string, std::string>, std::string> values_;
};

}  // namespace relab::agent::media
