#pragma once

/// What belongs to the agent itself. No role permits an order to change it, whatever it lists: who
/// could write there would write his own limits.

#include <filesystem>
#include <string_view>

namespace relab::agent {

/// At or below the agent's program, options, manifests, keys and journal where the packages have
/// them, or a file of its unit, one for more units than that included. Takes a path in its normal
/// form.
bool is_own_place(const std::filesystem::path& path);

/// The unit that the agent runs in: to stop it would end the task that does so.
bool is_own_unit(std::string_view unit);

}  // namespace relab::agent
