#pragma once

/// What cron runs that no package brings.

#include <string>
#include <string_view>
#include <vector>

namespace relab::controller {

/// Programs that a line of a crontab names by their whole path, below the folders in which people
/// put their own: also those that a shell, an interpreter, or a program such as `nice` is given. A
/// command of several parts (`a && b | c`) may name several.
std::vector<std::string> own_programs_of(std::string_view command);

}  // namespace relab::controller
