#pragma once

/// Debian's control format: stanzas of "Field: value", with values that go on in indented lines.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab::agent::packages {

struct Stanza {
  /// The number of its first line.
  std::uint32_t line = 0;
  /// By name in lower case. Lines of a value are joined by line feeds.
  std::map<std::string, std::string> fields = {};

  /// The field's value, or "". The name in lower case.
  std::string_view get(const std::string& name) const;
};

/// Lines with "#" in front are comments, within a stanza too. Fault::damaged, with the line's
/// number, for a line that is neither a field nor goes on with one.
Result<std::vector<Stanza>> parse_deb822(std::string_view text);

}  // namespace relab::agent::packages
