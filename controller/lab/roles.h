#pragma once

/// The roles that relab has a package for.

#include <array>
#include <string_view>

namespace relab::lab {

/// As in packaging/roles; a test holds both together.
inline constexpr std::array<std::string_view, 9> roles = {
    "admin", "arr", "jellyfin", "monitoring", "pbs", "proxmox", "trillian", "vault", "wireguard"};

}  // namespace relab::lab
