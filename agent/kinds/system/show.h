#pragma once

/// What systemd tells of one unit.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent::system {

using UnitProperties = std::map<std::string, std::string, std::less<>>;

/// Out of "Name=value" lines; of a name that comes twice, the first one.
UnitProperties parse_show(std::string_view text);

/// These properties of the unit; times as "@" and seconds. Fault::damaged unless systemd tells
/// every one of them: within a chroot systemctl prints nothing, and ends with 0.
Result<UnitProperties> show_unit(Host& host, const std::string& unit,
                                 const std::vector<std::string>& names);

/// What systemctl does, judged by what it ends with.
Result<void> systemctl(Host& host, std::vector<std::string> argv);

}  // namespace relab::agent::system
