#pragma once

/// The version of this build.

#include <string_view>

namespace relab {

inline constexpr std::string_view version = RELAB_VERSION;

}  // namespace relab
