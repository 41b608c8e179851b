#pragma once

/// Reads files of a running container through its own shell: one call for as many files as one
/// likes, since each call takes a second.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"
#include "agent/kinds/support/place.h"

namespace relab::agent {

/// The line that runs a program in a container, to be followed by the program's own.
std::vector<std::string> inside(std::uint32_t vmid);

/// What the container's shell runs: constant, paths come as arguments. It answers with one record
/// a path ("name PATH", "lost PATH", or "file PATH" with base64 lines up to "."), and "end".
std::string_view look_script();
/// The arguments of the script for what is wanted.
std::vector<std::string> look_arguments(const Wanted& wanted);
/// Fault::damaged for an answer that is cut off or has another form.
Result<Gathered> parse_look(std::string_view text);

/// Fault::damaged if the container cannot be looked into.
Result<Gathered> look_inside(Host& host, std::uint32_t vmid, const Wanted& wanted);

}  // namespace relab::agent
