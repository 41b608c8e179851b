#pragma once

/// The schema's names as people say them.

#include <cstddef>
#include <string>
#include <string_view>

namespace relab::controller {

/// "lastScrub" is "last scrub".
std::string human_name(std::string_view camel);

/// "1 pool", "2 pools": the name of a list with the number of its elements.
std::string counted(std::size_t number, std::string_view plural);

}  // namespace relab::controller
