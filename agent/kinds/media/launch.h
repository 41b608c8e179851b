#pragma once

/// Command lines of processes and systemd units, as far as they tell of an application.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kinds/media/app.h"

namespace relab::agent::media {

/// The arguments of /proc/PID/cmdline.
std::vector<std::string> parse_cmdline(std::string_view text);

/// What a unit file says that matters here.
struct UnitFile {
  std::vector<std::string> command;  ///< of its last ExecStart; empty without one
  std::string working_directory;
};
UnitFile parse_unit(std::string_view text);

/// Whether the program, or the script that an interpreter runs, is the application.
bool runs_app(const std::vector<std::string>& command, const App& app);

/// The value of "--option VALUE" or "--option=VALUE", of the first option that there is.
std::optional<std::string> option_value(const std::vector<std::string>& command,
                                        const std::vector<std::string_view>& options);

/// Whether a process with these /proc/PID/cgroup lines belongs to a container of its machine, and
/// so is found again there.
bool is_contained(std::string_view cgroup);

}  // namespace relab::agent::media
