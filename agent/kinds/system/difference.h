#pragma once

/// How one text becomes another, for people.

#include <string>
#include <string_view>
#include <vector>

namespace relab::agent::system {

/// Lines that begin with "- ", "+ ", or, for what stays, two spaces; a few at most, each short and
/// without what looks like a secret. A last line tells how many more there are. Empty if the texts
/// are the same.
std::vector<std::string> difference(std::string_view from, std::string_view to);

}  // namespace relab::agent::system
